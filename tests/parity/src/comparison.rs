//! Two hosts' answers to the same requests, and the differences between them that are allowed.

use std::{collections::BTreeSet, fmt};

use crate::{Exchange, kind::Kind};

/// What of an answer differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Any part of it.
    Whole,
    Status,
    Header(&'static str),
    /// A header that the local host does not send.
    Added(&'static str),
    Body,
}

/// A difference that somebody has looked at.
#[derive(Debug, Clone, Copy)]
pub struct Difference {
    /// The host that answers otherwise than the local one.
    pub host: &'static str,
    /// The row, as `GET /api/v1/academy`; none for every row.
    pub route: Option<&'static str>,
    /// None for every kind.
    pub kind: Option<Kind>,
    pub part: Part,
    pub reason: &'static str,
}

impl Difference {
    fn allows(&self, exchange: &Exchange, part: &Found) -> bool {
        self.route.is_none_or(|route| route == exchange.route)
            && self.kind.is_none_or(|kind| kind == exchange.kind)
            && part.is(self.part)
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let route = self.route.unwrap_or("every route");
        write!(f, "{}: {route} · ", self.host)?;
        match self.kind {
            Some(kind) => write!(f, "{kind}")?,
            None => f.write_str("every kind")?,
        }
        write!(f, " · {:?}: {}", self.part, self.reason)
    }
}

/// A part of an answer as two hosts gave it.
#[derive(Debug)]
enum Found {
    Status,
    Header(String),
    Added(String),
    Body,
}

impl Found {
    fn is(&self, part: Part) -> bool {
        match (self, part) {
            (_, Part::Whole) | (Self::Status, Part::Status) | (Self::Body, Part::Body) => true,
            (Self::Header(found) | Self::Added(found), Part::Header(name))
            | (Self::Added(found), Part::Added(name)) => found == name,
            _ => false,
        }
    }
}

/// What a comparison came to.
#[derive(Debug, Default)]
pub struct Comparison {
    /// Differences that nobody has allowed, and allowed ones that do not occur; empty if the hosts answer alike.
    pub complaints: Vec<String>,
    /// The differences that occurred and are allowed, and how often each.
    pub allowed: Vec<(Difference, usize)>,
}

/// Compares what `host` answered with what the local host did.
pub fn compare(host: &str, local: &[Exchange], found: &[Exchange], allowed: &[Difference]) -> Comparison {
    let mut comparison = Comparison::default();
    let allowed: Vec<_> = allowed.iter().filter(|difference| difference.host == host).collect();
    let mut occurred = vec![0; allowed.len()];
    for (expected, found) in local.iter().zip(found) {
        if expected.to_string() != found.to_string() {
            comparison.complaints.push(format!("local was asked {expected}, {host} {found}"));
            break;
        }
        let parts = differing(expected, found);
        for (difference, times) in allowed.iter().zip(&mut occurred) {
            *times += usize::from(parts.iter().any(|part| difference.allows(expected, part)));
        }
        let is_allowed = |part: &Found| allowed.iter().any(|difference| difference.allows(expected, part));
        let unknown: Vec<_> = parts.iter().filter(|part| !is_allowed(part)).collect();
        if !unknown.is_empty() {
            let [local, there] = [expected, found].map(shown);
            comparison
                .complaints
                .push(format!("{expected}: {unknown:?}\n  local: {local}\n  {host}: {there}"));
        }
    }
    if local.len() != found.len() {
        comparison.complaints.push(format!("local was asked {} times, {host} {}", local.len(), found.len()));
    }
    for (difference, times) in allowed.into_iter().zip(occurred) {
        if times == 0 {
            comparison.complaints.push(format!("this difference does not occur any more: {difference}"));
        } else {
            comparison.allowed.push((*difference, times));
        }
    }
    comparison
}

fn differing(one: &Exchange, other: &Exchange) -> Vec<Found> {
    let mut parts = Vec::new();
    if one.status != other.status {
        parts.push(Found::Status);
    }
    let names: BTreeSet<_> =
        one.headers.iter().chain(&other.headers).map(|(name, _)| name.as_str()).collect();
    let headers = names.into_iter().filter(|name| one.header(name) != other.header(name));
    parts.extend(headers.map(|name| match one.header(name) {
        None => Found::Added(name.to_owned()),
        Some(_) => Found::Header(name.to_owned()),
    }));
    if one.body != other.body {
        parts.push(Found::Body);
    }
    parts
}

/// An answer for the person who looks for the difference; a document in full helps nobody.
fn shown(exchange: &Exchange) -> String {
    let body: String = exchange.body.chars().take(600).collect();
    format!("{} {:?} {body}", exchange.status, exchange.headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: Difference = Difference {
        host: "there",
        route: None,
        kind: Some(Kind::Options),
        part: Part::Status,
        reason: "it says so",
    };

    fn answers() -> Vec<Exchange> {
        [Kind::Good, Kind::Options].map(|kind| Exchange::empty("GET /x".into(), kind, "x")).into()
    }

    #[test]
    fn a_difference_complains_unless_it_is_allowed_and_an_allowed_one_that_is_gone_complains() {
        let local = answers();
        let mut found = answers();
        assert!(compare("there", &local, &found, &[]).complaints.is_empty());
        assert_eq!(compare("there", &local, &found, &[OPTIONS]).complaints.len(), 1, "it does not occur");
        assert!(compare("elsewhere", &local, &found, &[OPTIONS]).complaints.is_empty(), "another host's");

        found[1].status = 405;
        assert_eq!(compare("there", &local, &found, &[]).complaints.len(), 1);
        let allowed = compare("there", &local, &found, &[OPTIONS]);
        assert!(allowed.complaints.is_empty() && allowed.allowed[0].1 == 1, "{allowed:?}");
        found[1].body = "x".into();
        assert_eq!(
            compare("there", &local, &found, &[OPTIONS]).complaints.len(),
            1,
            "the body is another part"
        );
        found[1].body = String::new();
        found[0].headers.push(("etag".into(), "\"1\"".into()));
        let complaints = compare("there", &local, &found, &[OPTIONS]).complaints;
        assert!(
            complaints.len() == 1 && complaints[0].starts_with("GET /x · good · x: [Added(\"etag\")]"),
            "{complaints:?}"
        );
    }

    #[test]
    fn an_added_header_is_no_missing_one() {
        let added = [Difference { kind: None, part: Part::Added("etag"), ..OPTIONS }];
        let (without, mut with) = (answers(), answers());
        with[0].headers.push(("etag".into(), "\"1\"".into()));
        assert!(compare("there", &without, &with, &added).complaints.is_empty());
        assert_eq!(compare("there", &with, &without, &added).complaints.len(), 2, "missing, and never added");
    }

    #[test]
    fn lists_of_other_requests_are_no_equals() {
        let local = answers();
        assert!(!compare("there", &local, &local[..1], &[]).complaints.is_empty());
        let turned: Vec<_> = answers().into_iter().rev().collect();
        assert!(!compare("there", &local, &turned, &[]).complaints.is_empty());
    }
}
