//! Cloudflare's rate limit of the routes that hash a password, by client address. It counts per data centre and roughly,
//! which is enough to keep one address from buying hashes without end.

use akademi_api::{Problem, rate_limit::PASSWORDS};
use akademi_functions::ROUTES;
use http::Method;
use worker::Env;

/// The binding in `wrangler.toml`, of the quota and period of [`PASSWORDS`].
const LIMITER: &str = "PASSWORD_LIMITER";

/// # Errors
/// 429 when this client has tried too often; a limiter that fails refuses nobody.
pub async fn check(env: &Env, method: &Method, path: &str, client: &str) -> Result<(), Problem> {
    let mut limited = ROUTES.iter().filter(|route| route.own_entry);
    if !limited.any(|route| route.path == path && route.method.name() == method.as_str()) {
        return Ok(());
    }
    let limiter = env.rate_limiter(LIMITER).map_err(|error| super::log_error(&error.to_string()));
    let Ok(limiter) = limiter else { return Ok(()) };
    match limiter.limit(client.to_owned()).await {
        Ok(outcome) if !outcome.success => {
            Err(Problem::too_many_requests().retry_after(PASSWORDS.window_seconds))
        }
        Ok(_) => Ok(()),
        Err(error) => {
            super::log_error(&error.to_string());
            Ok(())
        }
    }
}
