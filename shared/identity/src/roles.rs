//! What somebody's roles are and allow.

use akademi_domain::{
    ids::RoleId,
    permission::{Permissions, Role},
    time::Timestamp,
};
use akademi_edge_store::{Row, StoreError};

/// The roles that somebody has, and what they allow together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Granted {
    pub roles: Vec<Role>,
    /// Those that the academy has defined.
    pub own_roles: Vec<RoleId>,
    pub permissions: Permissions,
    /// Since when: whole seconds, as tokens tell them. It may be the second that is to come.
    pub since: Timestamp,
}

impl Granted {
    /// Reads the two columns that `roles_of_person!` gave, from `column` on: `role=permissions` for each, separated by
    /// commas, and since when. A built-in role's permissions stand in the code and not in the store.
    ///
    /// # Errors
    /// [`StoreError`] when they are others.
    pub fn read(row: &Row, column: usize) -> Result<Self, StoreError> {
        let mut granted = Self { since: row.timestamp(column + 1)?, ..Self::default() };
        for entry in row.text(column).unwrap_or_default().split(',') {
            let (role, permissions) = entry.split_once('=').unwrap_or((entry, ""));
            if let Some(role) = Role::parse(role) {
                granted.permissions = granted.permissions.union(role.permissions());
                granted.roles.push(role);
            } else if let (Ok(role), Ok(bits)) = (role.parse(), permissions.parse()) {
                // Whatever the row says, an academy's own role never reaches beyond academies.
                let allowed = Permissions::from_bits(bits).intersection(Permissions::OF_ACADEMIES);
                granted.permissions = granted.permissions.union(allowed);
                granted.own_roles.push(role);
            }
        }
        Ok(granted)
    }

    /// The names and ids of the roles, as the API calls them.
    pub fn names(&self) -> Vec<String> {
        let built_in = self.roles.iter().map(|role| role.name().to_owned());
        built_in.chain(self.own_roles.iter().map(ToString::to_string)).collect()
    }
}

/// The columns that [`Granted::read`] reads, of the `person` of the query that they stand in.
#[macro_export]
macro_rules! roles_of_person {
    () => {
        "(SELECT group_concat(role_assignment.role || '=' || COALESCE(role.permissions, '')) FROM role_assignment \
         LEFT JOIN role ON role.tenant_id = role_assignment.tenant_id AND role.id = role_assignment.role \
         WHERE role_assignment.tenant_id = person.tenant_id AND role_assignment.person_id = person.id) AS roles, permissions_since"
    };
}
