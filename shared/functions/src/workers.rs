//! The Cloudflare Workers, and which edge functions each of them carries.
//!
//! All of them in one Worker would take longer to start than anybody should wait for. What is asked often stands in
//! the first; it hands on what it does not carry.

use crate::Function;

/// A Cloudflare Worker: edge functions in one module.
#[derive(Debug, Clone, Copy)]
pub struct Worker {
    /// As its configuration calls it, and its folder in `build/worker`.
    pub name: &'static str,
    /// The crate that it is built from, with the features of its functions.
    pub package: &'static str,
    /// The file of its configuration, in the workspace's folder.
    pub configuration: &'static str,
    /// The service binding by which the first Worker hands requests to this one. The first has none: it answers the
    /// zone's routes, and nobody else does.
    pub binding: Option<&'static str>,
    pub functions: &'static [&'static str],
}

/// The first is the one that people's requests come to.
pub const WORKERS: &[Worker] = &[
    // What learners wait for: pages, sign-in, watching, buying; and the road to Lambda.
    Worker {
        name: "akademi",
        package: "akademi-worker",
        configuration: "wrangler.toml",
        binding: None,
        functions: &[
            "account",
            "assessment",
            "auth",
            "cart",
            "catalog",
            "coupons",
            "origin",
            "passkeys",
            "playback",
            "progress",
            "registration",
            "reviews",
            "site",
            "verify",
        ],
    },
    // What is asked now and then: staff's work, other ways to sign in, the other plane's feed.
    Worker {
        name: "akademi-office",
        package: "akademi-worker-office",
        configuration: "wrangler.office.toml",
        binding: Some("OFFICE"),
        functions: &["academies", "activation", "docs", "federation", "feed", "marks", "people", "privacy"],
    },
];

/// The Worker that carries the edge function called `function`.
pub fn worker_of(function: &str) -> Option<&'static Worker> {
    WORKERS.iter().find(|worker| worker.functions.contains(&function))
}

impl Worker {
    /// The rows of its functions.
    pub fn rows(&self) -> impl Iterator<Item = &'static Function> {
        self.functions.iter().filter_map(|name| crate::function(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FUNCTIONS, Plane};

    #[test]
    fn every_edge_function_is_in_one_worker_and_no_other_function_is_in_any() {
        let mut carried: Vec<&str> = WORKERS.iter().flat_map(|worker| worker.functions).copied().collect();
        let mut wanted: Vec<&str> = FUNCTIONS
            .iter()
            .filter(|function| function.plane == Plane::Edge)
            .map(|function| function.name)
            .collect();
        carried.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(carried, wanted);
    }

    #[test]
    fn only_the_first_worker_has_no_binding() {
        let without: Vec<&str> =
            WORKERS.iter().filter(|worker| worker.binding.is_none()).map(|worker| worker.name).collect();
        assert_eq!(without, [WORKERS[0].name]);
        // It answers where no route does.
        assert_eq!(worker_of("origin").map(|worker| worker.name), Some(WORKERS[0].name));
    }
}
