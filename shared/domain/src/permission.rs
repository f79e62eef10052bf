//! What a person may do. Checks are by permission, never by the name of a role.

use serde::{Deserialize, Serialize};

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident = $bit:literal, $text:tt;)+) => {
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
    /// Create, import, edit and publish one's own courses.
    CoursesWrite = 0, "courses:write";
    /// Set prices, seats, bundles and coupons.
    CommerceWrite = 1, "commerce:write";
    /// See orders, invoices and the books, give money back, and set how the academy is paid and how it invoices.
    FinanceWrite = 15, "finance:write";
    /// Issue and revoke certificates.
    CertificatesWrite = 2, "certificates:write";
    /// Read the dashboards of courses.
    ReportsCourses = 3, "reports:courses";
    /// Read the dashboards of the whole academy.
    ReportsAcademy = 4, "reports:academy";
    /// Enrol, invite, import, suspend and sign out people.
    PeopleWrite = 5, "people:write";
    /// See people, their roles and their sign-ins.
    PeopleRead = 6, "people:read";
    /// Define roles and give them to people.
    RolesWrite = 7, "roles:write";
    /// Make batches of activation codes and see who used which.
    CodesWrite = 8, "codes:write";
    /// See mail that was sent or could not be, and send it again.
    MailWrite = 9, "mail:write";
    /// Search and export the audit log.
    AuditRead = 10, "audit:read";
    /// Change the academy's name, colours, languages, domains and sign-in rules.
    AcademyWrite = 11, "academy:write";
    /// See, edit and price everybody's courses, not only one's own.
    CoursesAll = 13, "courses:all";
    /// Hide reviews and show them again.
    ReviewsWrite = 14, "reviews:write";
    /// Create, suspend and delete academies. Only the platform's own tenant can give it.
    PlatformWrite = 12, "platform:write";
}

/// A set of permissions, one bit each; the form that travels in an access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Permissions(u32);

impl Permissions {
    pub const NONE: Self = Self(0);
    /// All that somebody may have in an academy.
    pub const OF_ACADEMIES: Self = Self::NONE
        .with(Permission::CoursesWrite)
        .with(Permission::CommerceWrite)
        .with(Permission::FinanceWrite)
        .with(Permission::CertificatesWrite)
        .with(Permission::ReportsCourses)
        .with(Permission::ReportsAcademy)
        .with(Permission::PeopleWrite)
        .with(Permission::PeopleRead)
        .with(Permission::RolesWrite)
        .with(Permission::CodesWrite)
        .with(Permission::MailWrite)
        .with(Permission::AuditRead)
        .with(Permission::AcademyWrite)
        .with(Permission::CoursesAll)
        .with(Permission::ReviewsWrite);

    pub const fn with(self, permission: Permission) -> Self {
        Self(self.0 | permission.bit())
    }

    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub const fn has(self, permission: Permission) -> bool {
        self.0 & permission.bit() != 0
    }

    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether `other` holds nothing that this set lacks.
    pub const fn covers(self, other: Self) -> bool {
        other.0 & !self.0 == 0
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

/// The built-in roles. An academy defines more from named permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Of the platform's own tenant: runs academies, sees nothing inside them.
    GlobalAdmin,
    TenantAdmin,
    Instructor,
    Student,
}

impl Role {
    pub const ALL: [Self; 4] = [Self::GlobalAdmin, Self::TenantAdmin, Self::Instructor, Self::Student];

    pub const fn name(self) -> &'static str {
        match self {
            Self::GlobalAdmin => "global_admin",
            Self::TenantAdmin => "tenant_admin",
            Self::Instructor => "instructor",
            Self::Student => "student",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    pub const fn permissions(self) -> Permissions {
        match self {
            Self::GlobalAdmin => Permissions::NONE
                .with(Permission::PlatformWrite)
                .with(Permission::PeopleRead)
                .with(Permission::PeopleWrite)
                .with(Permission::RolesWrite)
                .with(Permission::MailWrite)
                .with(Permission::AuditRead),
            Self::TenantAdmin => Permissions::OF_ACADEMIES,
            Self::Instructor => Permissions::NONE
                .with(Permission::CoursesWrite)
                .with(Permission::CommerceWrite)
                .with(Permission::ReportsCourses)
                .with(Permission::ReviewsWrite),
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
