//! What a person may do. Checks are by permission, never by the name of a role.

use serde::{Deserialize, Serialize};

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $bit:literal, $text:literal;)+) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        pub enum Permission {$(
            $(#[$doc])* #[serde(rename = $text)] $name,
        )+}

        impl Permission {
            pub const ALL: &[Permission] = &[$(Permission::$name),+];

            pub const fn name(self) -> &'static str {
                match self { $(Permission::$name => $text),+ }
            }

            const fn bit(self) -> u32 {
                match self { $(Permission::$name => 1 << $bit),+ }
            }
        }
    };
}

permissions! {
    /// Create, import, edit and publish courses.
    CoursesWrite = 0, "courses:write";
    /// Set prices and coupons.
    CommerceWrite = 1, "commerce:write";
    /// Issue and revoke certificates.
    CertificatesWrite = 2, "certificates:write";
    /// Read the dashboards of courses.
    ReportsCourses = 3, "reports:courses";
    /// Read the dashboards of the whole academy.
    ReportsAcademy = 4, "reports:academy";
    /// See people and change their roles.
    PeopleWrite = 5, "people:write";
}

/// A set of permissions, one bit each; the form that travels in an access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Permissions(u32);

impl Permissions {
    pub const NONE: Self = Self(0);

    pub const fn with(self, permission: Permission) -> Self {
        Self(self.0 | permission.bit())
    }

    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub const fn has(self, permission: Permission) -> bool {
        self.0 & permission.bit() != 0
    }

    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Bits that name no permission are dropped.
    pub fn from_bits(bits: u32) -> Self {
        Permission::ALL
            .iter()
            .filter(|permission| bits & permission.bit() != 0)
            .fold(Self::NONE, |set, permission| set.with(*permission))
    }

    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Permission::ALL
            .iter()
            .filter(move |permission| self.has(**permission))
            .map(|permission| permission.name())
    }
}

/// The built-in roles of an academy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    TenantAdmin,
    Instructor,
    Student,
}

impl Role {
    pub const fn name(self) -> &'static str {
        match self {
            Self::TenantAdmin => "tenant_admin",
            Self::Instructor => "instructor",
            Self::Student => "student",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::TenantAdmin, Self::Instructor, Self::Student].into_iter().find(|role| role.name() == name)
    }

    pub const fn permissions(self) -> Permissions {
        match self {
            Self::TenantAdmin => Permissions::NONE
                .with(Permission::CoursesWrite)
                .with(Permission::CommerceWrite)
                .with(Permission::CertificatesWrite)
                .with(Permission::ReportsCourses)
                .with(Permission::ReportsAcademy)
                .with(Permission::PeopleWrite),
            Self::Instructor => Permissions::NONE
                .with(Permission::CoursesWrite)
                .with(Permission::CommerceWrite)
                .with(Permission::ReportsCourses),
            Self::Student => Permissions::NONE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_keeps_what_was_put_in_and_drops_unknown_bits() {
        let set = Role::Instructor.permissions();
        assert!(set.has(Permission::CoursesWrite));
        assert!(!set.has(Permission::PeopleWrite));
        assert_eq!(Permissions::from_bits(set.bits() | 1 << 31), set);
        assert_eq!(Role::Student.permissions().names().count(), 0);
    }

    #[test]
    fn no_two_permissions_share_a_bit_or_a_name() {
        for (i, a) in Permission::ALL.iter().enumerate() {
            for b in &Permission::ALL[i + 1..] {
                assert_ne!(a.bit(), b.bit());
                assert_ne!(a.name(), b.name());
            }
        }
    }
}
