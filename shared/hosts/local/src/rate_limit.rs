//! The limit of requests that hash a password, by client address, in this process's memory.

use akademi_api::{
    Problem,
    caller::ClientAddress,
    rate_limit::{PASSWORDS, tell_standing},
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
pub struct Attempts(Arc<Limiter>);

impl Attempts {
    /// So many of each address in the window of [`PASSWORDS`].
    pub fn of(quota: u32) -> Self {
        let quota = NonZeroU32::new(quota).unwrap_or(NonZeroU32::MIN);
        let per_request = Duration::from_secs(PASSWORDS.window_seconds.into()) / quota.get();
        let quota = Quota::with_period(per_request).unwrap_or(Quota::per_minute(quota)).allow_burst(quota);
        let limiter: DefaultKeyedRateLimiter<String> = RateLimiter::keyed(quota);
        Self(Arc::new(limiter.with_middleware()))
    }
}

/// Lets a request through unless its address has tried too often.
pub async fn limit(State(Attempts(limiter)): State<Attempts>, request: Request, next: Next) -> Response {
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
    let (mut answer, remaining) = match limiter.check_key(&client) {
        Ok(standing) => (next.run(request).await, standing.remaining_burst_capacity()),
        Err(refused) => {
            let wait = refused.wait_time_from(limiter.clock().now()).as_secs() + 1;
            let problem = Problem::too_many_requests().retry_after(u32::try_from(wait).unwrap_or(u32::MAX));
            (problem.render(""), 0)
        }
    };
    PASSWORDS.tell(answer.headers_mut());
    if remaining > 0 {
        tell_standing(answer.headers_mut(), PASSWORDS.name, remaining, PASSWORDS.window_seconds);
    }
    answer
}
