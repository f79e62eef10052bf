//! The one table of functions: what exists, where it runs, what it may touch, which routes it answers and
//! who may call them.
//!
//! `spin.toml`, the configurations of the Workers, the Workers, the local host, the authorization check and the
//! OpenAPI document are made from or checked against this table; a new endpoint is a handler and a row here.

mod routes;
mod variables;
mod workers;

pub use routes::{ROUTES, Routes, count_rows, rows};
pub use variables::{
    DATABASE_URL, DNS_URL, EDGE_MASTER_KEY, EDGE_URL, LAMBDA_MASTER_KEY, LAMBDA_URL, MAIL_FROM, MAIL_URL,
    MEDIA_SIGNING_KEYS, MEDIA_URL, PLANE_ROOT_KEYS, STORAGE_URL, TOKEN_PUBLIC_KEYS, TOKEN_SIGNING_KEYS,
    VIRUS_SCANNER, Variable,
};
pub use workers::{WORKERS, Worker, worker_of};

use akademi_domain::{academy::Feature, permission::Permission};

/// Where a function runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plane {
    /// One Wasm component per function, on the edge store.
    Edge,
    /// One native binary per function, on PostgreSQL.
    Lambda,
}

/// A function: one crate, one component or binary.
#[derive(Debug, Clone, Copy)]
pub struct Function {
    pub name: &'static str,
    pub plane: Plane,
    /// Whether it opens its plane's database.
    pub database: bool,
    pub variables: &'static [Variable],
    /// Outbound hosts, as Spin's `allowed_outbound_hosts` writes them; `{{ … }}` is a variable.
    pub outbound: &'static [&'static str],
}

pub const FUNCTIONS: &[Function] = &[
    Function {
        name: "auth",
        plane: Plane::Edge,
        database: true,
        variables: &[TOKEN_SIGNING_KEYS, EDGE_MASTER_KEY],
        outbound: &[],
    },
    Function {
        name: "registration",
        plane: Plane::Edge,
        database: true,
        variables: &[EDGE_MASTER_KEY, PLANE_ROOT_KEYS, LAMBDA_URL],
        outbound: &["{{ lambda_url }}"],
    },
    Function {
        name: "account",
        plane: Plane::Edge,
        database: true,
        variables: &[TOKEN_PUBLIC_KEYS, EDGE_MASTER_KEY],
        outbound: &[],
    },
    Function {
        name: "people",
        plane: Plane::Edge,
        database: true,
        variables: &[TOKEN_PUBLIC_KEYS, EDGE_MASTER_KEY, PLANE_ROOT_KEYS, LAMBDA_URL],
        outbound: &["{{ lambda_url }}"],
    },
    Function {
        name: "activation",
        plane: Plane::Edge,
        database: true,
        variables: &[TOKEN_PUBLIC_KEYS, EDGE_MASTER_KEY],
        outbound: &[],
    },
    Function {
        name: "academies",
        plane: Plane::Edge,
        database: true,
        variables: &[TOKEN_PUBLIC_KEYS, EDGE_MASTER_KEY, DNS_URL],
        outbound: &["{{ dns_url }}"],
    },
    Function {
        name: "federation",
        plane: Plane::Edge,
        database: true,
        variables: &[TOKEN_SIGNING_KEYS, EDGE_MASTER_KEY, PLANE_ROOT_KEYS, LAMBDA_URL],
        outbound: &["{{ lambda_url }}"],
    },
    Function {
        name: "passkeys",
        plane: Plane::Edge,
        database: true,
        variables: &[TOKEN_SIGNING_KEYS, EDGE_MASTER_KEY, PLANE_ROOT_KEYS, LAMBDA_URL],
        outbound: &["{{ lambda_url }}"],
    },
    Function {
        name: "privacy",
        plane: Plane::Edge,
        database: true,
        variables: &[TOKEN_PUBLIC_KEYS, EDGE_MASTER_KEY, PLANE_ROOT_KEYS, LAMBDA_URL],
        outbound: &["{{ lambda_url }}"],
    },
    Function { name: "catalog", plane: Plane::Edge, database: true, variables: &[], outbound: &[] },
    Function {
        name: "progress",
        plane: Plane::Edge,
        database: true,
        variables: &[TOKEN_PUBLIC_KEYS],
        outbound: &[],
    },
    Function { name: "site", plane: Plane::Edge, database: true, variables: &[MEDIA_URL], outbound: &[] },
    Function {
        name: "playback",
        plane: Plane::Edge,
        database: true,
        variables: &[TOKEN_PUBLIC_KEYS, MEDIA_URL, MEDIA_SIGNING_KEYS],
        outbound: &[],
    },
    Function {
        name: "assessment",
        plane: Plane::Edge,
        database: true,
        variables: &[TOKEN_PUBLIC_KEYS],
        outbound: &[],
    },
    Function {
        name: "marks",
        plane: Plane::Edge,
        database: true,
        variables: &[TOKEN_PUBLIC_KEYS, EDGE_MASTER_KEY],
        outbound: &[],
    },
    Function {
        name: "feed",
        plane: Plane::Edge,
        database: true,
        variables: &[PLANE_ROOT_KEYS, EDGE_MASTER_KEY],
        outbound: &[],
    },
    Function { name: "docs", plane: Plane::Edge, database: true, variables: &[], outbound: &[] },
    Function {
        name: "origin",
        plane: Plane::Edge,
        database: true,
        variables: &[TOKEN_PUBLIC_KEYS, PLANE_ROOT_KEYS, LAMBDA_URL],
        outbound: &["{{ lambda_url }}"],
    },
    Function {
        name: "coupons",
        plane: Plane::Edge,
        database: true,
        variables: &[TOKEN_PUBLIC_KEYS, PLANE_ROOT_KEYS],
        outbound: &[],
    },
    Function {
        name: "cart",
        plane: Plane::Edge,
        database: true,
        variables: &[TOKEN_PUBLIC_KEYS, PLANE_ROOT_KEYS, EDGE_MASTER_KEY],
        outbound: &[],
    },
    Function {
        name: "reviews",
        plane: Plane::Edge,
        database: true,
        variables: &[TOKEN_PUBLIC_KEYS, EDGE_MASTER_KEY],
        outbound: &[],
    },
    Function {
        name: "verify",
        plane: Plane::Edge,
        database: true,
        variables: &[TOKEN_PUBLIC_KEYS, EDGE_MASTER_KEY],
        outbound: &[],
    },
    Function {
        name: "authoring",
        plane: Plane::Lambda,
        database: true,
        variables: &[DATABASE_URL, PLANE_ROOT_KEYS, LAMBDA_MASTER_KEY],
        outbound: &[],
    },
    Function {
        name: "images",
        plane: Plane::Lambda,
        database: true,
        variables: &[DATABASE_URL, PLANE_ROOT_KEYS, LAMBDA_MASTER_KEY],
        outbound: &[],
    },
    Function {
        name: "transcode",
        plane: Plane::Lambda,
        database: true,
        variables: &[DATABASE_URL],
        outbound: &[],
    },
    Function {
        name: "payments",
        plane: Plane::Lambda,
        database: true,
        variables: &[DATABASE_URL, PLANE_ROOT_KEYS, LAMBDA_MASTER_KEY],
        outbound: &[
            "https://www.paytr.com",
            "https://api.iyzipay.com",
            "https://sandbox-api.iyzipay.com",
            "https://api.stripe.com",
        ],
    },
    Function {
        name: "certificates",
        plane: Plane::Lambda,
        database: true,
        variables: &[DATABASE_URL, PLANE_ROOT_KEYS, LAMBDA_MASTER_KEY],
        outbound: &[],
    },
    Function {
        name: "identity",
        plane: Plane::Lambda,
        database: true,
        variables: &[DATABASE_URL, PLANE_ROOT_KEYS, LAMBDA_MASTER_KEY],
        // Whatever public host an academy's provider answers on.
        outbound: &["https://*"],
    },
    Function {
        name: "etl",
        plane: Plane::Lambda,
        database: true,
        variables: &[DATABASE_URL, PLANE_ROOT_KEYS, LAMBDA_MASTER_KEY],
        outbound: &[],
    },
    Function {
        name: "mail",
        plane: Plane::Lambda,
        database: true,
        variables: &[DATABASE_URL, PLANE_ROOT_KEYS, LAMBDA_MASTER_KEY, MAIL_URL, MAIL_FROM],
        outbound: &["{{ mail_url }}"],
    },
    Function {
        name: "invoices",
        plane: Plane::Lambda,
        database: true,
        variables: &[DATABASE_URL, PLANE_ROOT_KEYS, LAMBDA_MASTER_KEY],
        outbound: &[],
    },
    Function {
        name: "audit",
        plane: Plane::Lambda,
        database: true,
        variables: &[DATABASE_URL, PLANE_ROOT_KEYS, LAMBDA_MASTER_KEY],
        outbound: &[],
    },
    Function {
        name: "sync",
        plane: Plane::Lambda,
        database: true,
        variables: &[DATABASE_URL, PLANE_ROOT_KEYS, LAMBDA_MASTER_KEY, EDGE_URL],
        outbound: &["{{ edge_url }}"],
    },
];

/// The function called `name`.
pub fn function(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody, for an academy's own host.
    Public,
    /// Anybody, on any host: health checks.
    AnyHost,
    /// Anybody, for an academy's own host; whoever shows an access token is known.
    GuestOrSignedIn,
    /// A signed-in person.
    SignedIn,
    /// A signed-in person with this permission.
    Needs(Permission),
    /// The other plane, by a signed request.
    OtherPlane,
    /// A payment provider, on a platform host: the handler verifies what it says by the provider's own rules.
    Provider,
}

/// A route of a function.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    pub method: http_method::Method,
    /// As axum writes it: `{name}` stands for one segment.
    pub path: &'static str,
    pub function: &'static str,
    pub access: Access,
    /// Whether the session row is read too, so that a revoked session ends at once (design §8): staff writes,
    /// money, step-up. Other routes may lag a revocation by the life of an access token.
    pub reads_session: bool,
    /// Whether the caller must have proved who they are within the last minutes: dangerous acts.
    pub steps_up: bool,
    /// What the academy must not have switched off.
    pub feature: Option<Feature>,
    /// Whether Spin serves it from a second entry of the component, so that it blocks no other request.
    pub own_entry: bool,
}

/// HTTP methods as a `const` table can hold them.
pub mod http_method {
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub enum Method {
        Get,
        Post,
        Put,
        Patch,
        Delete,
    }

    impl Method {
        pub const fn name(self) -> &'static str {
            match self {
                Self::Get => "GET",
                Self::Post => "POST",
                Self::Put => "PUT",
                Self::Patch => "PATCH",
                Self::Delete => "DELETE",
            }
        }

        /// The row's method that answers a request of `method`; HEAD is answered by GET.
        pub fn of(method: &http::Method) -> Option<Self> {
            match method.as_str() {
                "GET" | "HEAD" => Some(Self::Get),
                "POST" => Some(Self::Post),
                "PUT" => Some(Self::Put),
                "PATCH" => Some(Self::Patch),
                "DELETE" => Some(Self::Delete),
                _ => None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_names_a_function_and_stands_once() {
        for (i, route) in ROUTES.iter().enumerate() {
            assert!(function(route.function).is_some(), "{route:?}");
            let twin = ROUTES[i + 1..].iter().find(|r| r.method == route.method && r.path == route.path);
            assert!(twin.is_none(), "{route:?} stands twice");
        }
    }

    /// Else its gate would not list the methods of the other in `Allow`.
    #[test]
    fn a_path_belongs_to_one_function() {
        for route in ROUTES {
            let other = ROUTES.iter().find(|r| r.path == route.path && r.function != route.function);
            assert!(other.is_none(), "{route:?} and {other:?}");
        }
    }

    #[test]
    fn a_function_is_given_its_own_rows_and_no_others() {
        let own = routes_of!("audit");
        let all: Vec<_> = ROUTES.iter().filter(|route| route.function == "audit").collect();
        assert!(all.len() > 1 && all.len() == count_rows("audit"));
        assert!(all.iter().all(|route| own.find(route.method, route.path).is_some()));
        let others = ROUTES.iter().filter(|route| route.function != "audit");
        assert_eq!(others.filter_map(|route| own.find(route.method, route.path)).count(), 0);
    }

    #[test]
    fn staff_writes_read_the_session_row() {
        for route in ROUTES {
            let is_write = route.method != http_method::Method::Get;
            if is_write && matches!(route.access, Access::Needs(_)) {
                assert!(route.reads_session, "{route:?}");
            }
        }
    }
}
