//! Whether every route is asked in every way that makes sense.

use akademi_functions::Route;

use crate::{
    Exchange,
    kind::{Kind, exemption, name_of},
};

/// The rows and kinds of which no request was recorded, as `GET /api/v1/academy · HEAD`.
pub fn missing(routes: &[Route], recorded: &[Exchange]) -> Vec<String> {
    let is_recorded = |route: &Route, kind| {
        recorded.iter().any(|exchange| exchange.kind == kind && exchange.route == name_of(route))
    };
    routes
        .iter()
        .flat_map(|route| Kind::ALL.map(|kind| (route, kind)))
        .filter(|(route, kind)| exemption(route, *kind).is_none() && !is_recorded(route, *kind))
        .map(|(route, kind)| format!("{} · {kind}", name_of(route)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use akademi_functions::ROUTES;

    fn whole() -> Vec<Exchange> {
        let pairs = ROUTES.iter().flat_map(|route| Kind::ALL.map(|kind| (route, kind)));
        pairs.map(|(route, kind)| Exchange::empty(name_of(route), kind, "x")).collect()
    }

    #[test]
    fn a_row_whose_requests_are_taken_away_is_missed_in_each_way() {
        let academy = "GET /api/v1/academy";
        let rest: Vec<_> = whole().into_iter().filter(|exchange| exchange.route != academy).collect();
        let missed = missing(ROUTES, &rest);
        let row = ROUTES.iter().find(|route| name_of(route) == academy).unwrap();
        let wanted = Kind::ALL.into_iter().filter(|kind| exemption(row, *kind).is_none());
        assert_eq!(missed, wanted.map(|kind| format!("{academy} · {kind}")).collect::<Vec<_>>());
        assert!(missed.len() > 8, "{missed:?}");
    }

    #[test]
    fn one_way_of_one_row_is_missed_alone_and_nothing_is_missed_of_a_whole_list() {
        let mut recorded = whole();
        assert_eq!(missing(ROUTES, &recorded), Vec::<String>::new());
        recorded.retain(|exchange| {
            (exchange.route.as_str(), exchange.kind) != ("POST /api/v1/orders", Kind::LargeBody)
        });
        assert_eq!(missing(ROUTES, &recorded), ["POST /api/v1/orders · 1 MiB body"]);
    }
}
