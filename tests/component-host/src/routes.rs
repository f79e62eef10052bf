//! Which component answers a path: Spin's rules, by the crate that Spin uses for them.

use routefinder::Router;
use std::{collections::BTreeSet, net::SocketAddr};

use crate::manifest::{HttpTrigger, ManifestError};

/// The routes of an application.
pub(crate) struct Routes {
    router: Router<Route>,
}

struct Route {
    component: String,
    /// As it stands in the manifest.
    raw: String,
}

/// The best route for a path: exact segments before `:param`, before `/...`, longer prefixes first.
pub(crate) struct RouteMatch<'a> {
    pub(crate) component: &'a str,
    raw: &'a str,
    path_info: String,
    parameters: Vec<(String, String)>,
}

impl Routes {
    pub(crate) fn new(triggers: &[HttpTrigger]) -> Result<Self, ManifestError> {
        let mut router = Router::new();
        let mut seen = BTreeSet::new();
        for trigger in triggers {
            let raw = trigger.route.as_str();
            let refuse = |why: &str| ManifestError::Route(raw.to_owned(), why.to_owned());
            if !raw.starts_with('/') {
                return Err(refuse("must begin with a slash"));
            }
            if raw.starts_with(WELL_KNOWN) {
                return Err(refuse("belongs to Spin itself"));
            }
            let pattern = match raw.strip_suffix("/...") {
                Some(prefix) => format!("{prefix}/*"),
                None => raw.strip_suffix('/').unwrap_or(raw).to_owned(),
            };
            if !seen.insert(pattern.clone()) {
                return Err(ManifestError::DuplicateRoute(raw.to_owned()));
            }
            router
                .add(pattern, Route { component: trigger.component.clone(), raw: raw.to_owned() })
                .map_err(|why| refuse(&why))?;
        }
        Ok(Self { router })
    }

    /// `path` is the path alone, without the query.
    pub(crate) fn find(&self, path: &str) -> Option<RouteMatch<'_>> {
        let found = self.router.best_match(path)?;
        let captures = found.captures();
        let path_info = captures.wildcard().map_or_else(String::new, |rest| {
            let slash = if path.ends_with('/') { "/" } else { "" };
            if rest.is_empty() { slash.to_owned() } else { format!("/{rest}{slash}") }
        });
        let parameters = captures.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let route = found.handler();
        Some(RouteMatch { component: &route.component, raw: &route.raw, path_info, parameters })
    }
}

/// The paths that Spin answers itself.
pub(crate) const WELL_KNOWN: &str = "/.well-known/spin/";

impl RouteMatch<'_> {
    /// The headers that Spin adds to what the client sent. It appends them: where a client sends a header of
    /// the same name, the client's value comes first and Spin's last.
    pub(crate) fn headers(&self, full_url: &str, client: SocketAddr) -> Vec<(String, String)> {
        let mut headers = vec![
            ("spin-path-info".to_owned(), self.path_info.clone()),
            ("spin-full-url".to_owned(), full_url.to_owned()),
            ("spin-matched-route".to_owned(), self.raw.to_owned()),
            ("spin-base-path".to_owned(), "/".to_owned()),
            ("spin-raw-component-route".to_owned(), self.raw.to_owned()),
            ("spin-component-route".to_owned(), self.raw.strip_suffix("/...").unwrap_or(self.raw).to_owned()),
            ("spin-client-addr".to_owned(), client.to_string()),
        ];
        headers.extend(self.parameters.iter().map(|(name, value)| {
            (format!("spin-path-match-{}", name.to_ascii_lowercase().replace('_', "-")), value.clone())
        }));
        headers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routes(list: &[&str]) -> Routes {
        let triggers: Vec<_> = list
            .iter()
            .map(|route| HttpTrigger { id: None, route: (*route).into(), component: (*route).into() })
            .collect();
        Routes::new(&triggers).unwrap()
    }

    #[test]
    fn the_most_specific_route_wins_whatever_the_order() {
        let list = ["/...", "/a/...", "/a/:id", "/a/b", "/a/:id/c", "/a/b/...", "/"];
        let reversed: Vec<_> = list.iter().rev().copied().collect();
        for routes in [routes(&list), routes(&reversed)] {
            for (path, expected) in [
                ("/", "/"),
                ("/x/y", "/..."),
                ("/a", "/a/..."),
                ("/a/b", "/a/b"),
                ("/a/b/", "/a/b"),
                ("/a/z", "/a/:id"),
                ("/a/z/c", "/a/:id/c"),
                ("/a/b/z/z", "/a/b/..."),
                ("/a/z/z/z", "/a/..."),
            ] {
                assert_eq!(routes.find(path).unwrap().component, expected, "{path}");
            }
        }
    }

    #[test]
    fn an_exact_route_takes_no_longer_path() {
        let routes = routes(&["/api/one", "/api/:id/two"]);
        for path in ["/api", "/api/one/two/three", "/api/one/three", "/API/one"] {
            assert!(routes.find(path).is_none(), "{path}");
        }
    }

    #[test]
    fn routes_that_spin_would_drop_are_refused() {
        let trigger = |route: &str| HttpTrigger { id: None, route: route.into(), component: "x".into() };
        for list in [
            vec![trigger("/a"), trigger("/a/")],
            vec![trigger("a")],
            vec![trigger("/.well-known/spin/health")],
            vec![trigger("/a/:")],
        ] {
            assert!(Routes::new(&list).is_err(), "{list:?}");
        }
    }
}
