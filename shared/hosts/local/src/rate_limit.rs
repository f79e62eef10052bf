//! The limit of requests that hash a password, by client address, in this process's memory.

use akademi_api::{
    Problem,
    caller::ClientAddress,
    rate_limit::{Policy, tell_standing},
};
use akademi_functions::ROUTES;
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock, middleware::StateInformationMiddleware,
};
use std::{num::NonZeroU32, sync::Arc, time::Duration};

/// So many addresses are remembered before those that may try again as often as anybody are forgotten.
const ADDRESSES: usize = 10_000;

type Limiter = RateLimiter<
    String,
    governor::state::keyed::DefaultKeyedStateStore<String>,
    governor::clock::DefaultClock,
    StateInformationMiddleware,
>;

/// The attempts of each address.
#[derive(Clone)]
pub struct Attempts {
    policy: Policy,
    limiter: Arc<Limiter>,
}

impl Attempts {
    pub fn of(policy: Policy) -> Self {
        let quota = NonZeroU32::new(policy.quota).unwrap_or(NonZeroU32::MIN);
        let per_request = Duration::from_secs(policy.window_seconds.into()) / quota.get();
        let quota = Quota::with_period(per_request).unwrap_or(Quota::per_minute(quota)).allow_burst(quota);
        let limiter: DefaultKeyedRateLimiter<String> = RateLimiter::keyed(quota);
        Self { policy, limiter: Arc::new(limiter.with_middleware()) }
    }
}

/// Lets a request through unless its address has tried too often.
pub async fn limit(
    State(Attempts { policy, limiter }): State<Attempts>,
    request: Request,
    next: Next,
) -> Response {
    let is_limited = ROUTES.iter().any(|route| {
        route.own_entry
            && route.method.name() == request.method().as_str()
            && route.path == request.uri().path()
    });
    let client = request.extensions().get::<ClientAddress>().filter(|_| is_limited);
    let Some(ClientAddress(client)) = client.cloned() else { return next.run(request).await };
    if limiter.len() > ADDRESSES {
        limiter.retain_recent();
    }
    let (mut answer, remaining, seconds) = match limiter.check_key(&client) {
        Ok(standing) => (next.run(request).await, standing.remaining_burst_capacity(), policy.window_seconds),
        Err(refused) => {
            let wait = refused.wait_time_from(limiter.clock().now()).as_secs() + 1;
            let wait = u32::try_from(wait).unwrap_or(u32::MAX);
            (Problem::too_many_requests().retry_after(wait).render(""), 0, wait)
        }
    };
    policy.tell(answer.headers_mut());
    tell_standing(answer.headers_mut(), policy.name, remaining, seconds);
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use akademi_api::rate_limit::PASSWORDS;
    use axum::{Router, body::Body, middleware::from_fn_with_state, routing::post};
    use http::{HeaderMap, StatusCode};
    use tower::ServiceExt;

    async fn ask(router: &Router, path: &str, client: &str) -> (StatusCode, HeaderMap) {
        let client = ClientAddress(client.to_owned());
        let request = Request::post(path).extension(client).body(Body::empty()).unwrap();
        let answer = router.clone().oneshot(request).await.unwrap();
        (answer.status(), answer.headers().clone())
    }

    #[tokio::test]
    async fn an_address_buys_so_many_hashes_and_others_are_not_held_up() {
        let routes = ["/api/v1/auth/login", "/api/v1/auth/refresh"];
        let router = routes.iter().fold(Router::new(), |router, path| router.route(path, post(async || "")));
        let policy = Policy { quota: 2, ..PASSWORDS };
        let router = router.layer(from_fn_with_state(Attempts::of(policy), limit));
        let [login, refresh] = routes;
        for left in ["\"passwords\";r=1;t=60", "\"passwords\";r=0;t=60"] {
            let (status, headers) = ask(&router, login, "192.0.2.1").await;
            assert_eq!((status, headers["ratelimit"].to_str().unwrap()), (StatusCode::OK, left));
            assert_eq!(headers["ratelimit-policy"], "\"passwords\";q=2;w=60");
        }
        let (status, headers) = ask(&router, login, "192.0.2.1").await;
        assert_eq!(status, StatusCode::TOO_MANY_REQUESTS);
        let wait = headers["retry-after"].to_str().unwrap();
        assert_eq!(headers["ratelimit"], format!("\"passwords\";r=0;t={wait}").as_str());
        assert_eq!(ask(&router, login, "192.0.2.2").await.0, StatusCode::OK);
        assert_eq!(ask(&router, refresh, "192.0.2.1").await.0, StatusCode::OK);
    }
}
