//! Whoever has come back from a provider gets a session.

use akademi_api::{
    Academy, Body, PathParam, Problem, authorization::own_page, caller::RequestId, federation::ExchangeWanted,
};
use akademi_domain::academy::Feature;
use akademi_edge_store::StoreError;
use akademi_identity::{
    Audit, Origin, has_account,
    session::{
        Proven,
        challenge::SecondFactorNeeded,
        keeping::{Keeping, TokenPair},
    },
    throttle,
};
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, Uri, header};

use crate::{
    Federation,
    account::Newly,
    browser::{Browser, no_cookie, not_under_way},
    callback::SEALED_CODE,
    start::SIGN_IN_SECONDS,
    store::{self, Linked, NewWaiting, SignIn},
};

/// Sign in with a provider
///
/// For the page that a browser has come back to. An identity that is new here makes an account, if the provider answers for an
/// e-mail address that nobody has here and people may register. If somebody has it, or the provider answers for none, the owner
/// of an account links the identity: sign in otherwise, then post to `/api/v1/users/me/identities` within ten minutes.
#[utoipa::path(post, path = "/api/v1/auth/providers/{provider}/sign-in", tag = "auth",
    params(("provider" = String, Path, description = "The provider", max_length = 32)),
    responses((status = 200, description = "Signed in", body = TokenPair),
              (status = 202, description = "A code of the second factor is needed", body = SecondFactorNeeded),
              (status = 403, description = "The provider does not vouch for anybody, or the account is suspended", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json"),
              (status = 409, description = "The identity is to be linked by whoever owns an account", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json")))]
pub async fn sign_in(
    State(federation): State<Federation>,
    academy: Academy,
    request_id: RequestId,
    origin: Origin,
    keeping: Keeping,
    PathParam(provider): PathParam<String>,
    (headers, target): (HeaderMap, Uri),
) -> Result<Response, Problem> {
    let browser = federation.browsers.read(&headers)?;
    own_page(&headers, &target)?;
    let taken = federation.take(&academy, &browser, &provider).await?;
    let code = federation.vault.open_secret(academy.id, SEALED_CODE, &taken.code).map_err(Problem::broken)?;
    let wanted = ExchangeWanted {
        provider: provider.clone(),
        code: String::from_utf8(code.to_vec()).map_err(Problem::broken)?,
        code_verifier: browser.code_verifier.clone(),
        nonce: browser.nonce.clone(),
        redirect_uri: taken.sign_in.redirect_uri.clone(),
    };
    let claims = match federation.claims(&academy, &request_id, &wanted).await {
        Ok(claims) => claims,
        Err(problem) => {
            federation.tell_of_failure(&academy, &origin, &provider).await?;
            return Err(problem);
        }
    };
    // Lambda says whom it asked: the one whose answer this browser waits for.
    if claims.issuer != taken.sign_in.issuer {
        return Err(crate::lambda::provider_refused().because("another issuer vouches"));
    }
    let subject_lookup = federation.subject_lookup(academy.id, &claims.issuer, &claims.subject);
    let database = federation.edge.tenant(academy.id);
    if let Some(linked) = store::find_linked(&database, &subject_lookup).await? {
        return federation.enter(&academy, &origin, keeping, linked).await;
    }
    let email_lookup =
        claims.verified_email.as_ref().map(|email| federation.vault.email_lookup(academy.id, email));
    if let (Some(email), Some(email_lookup)) = (&claims.verified_email, &email_lookup)
        && !has_account(&database, email_lookup).await?
    {
        if academy.profile.features_off.has(Feature::Registration) {
            return Err(Problem::feature_off());
        }
        let newly = Newly {
            email,
            email_lookup,
            name: claims.name.as_ref(),
            provider: &provider,
            subject_lookup: &subject_lookup,
        };
        match federation.join(&academy, &origin, newly).await {
            // Somebody came to that address meanwhile.
            Err(problem) if problem.slug() == Problem::conflict().slug() => {}
            joined => return forgetting(keeping.deliver(joined?)?),
        }
    }
    let waiting = NewWaiting {
        browser: &browser.lookup,
        of: &taken.sign_in,
        subject_lookup: &subject_lookup,
        email_lookup: email_lookup.as_ref(),
        expires_at: federation.edge.ports.now().plus_seconds(SIGN_IN_SECONDS),
    };
    database.batch(vec![store::insert_waiting(waiting)]).await?;
    Err(link_needed())
}

/// What a browser brought back.
struct Taken {
    sign_in: SignIn,
    code: Vec<u8>,
}

impl Federation {
    /// Takes what the browser brought back, once: the provider takes a code once too, and a second try would tell it that the code
    /// was stolen.
    async fn take(&self, academy: &Academy, browser: &Browser, provider: &str) -> Result<Taken, Problem> {
        let database = self.edge.tenant(academy.id);
        let found = store::find_sign_in(&database, &browser.lookup, self.edge.ports.now()).await?;
        let mut sign_in = found.filter(|found| found.provider == provider).ok_or_else(not_under_way)?;
        let code = sign_in.code.take().ok_or_else(not_under_way)?;
        let taken = database
            .batch_if(store::has_come_back(&browser.lookup), vec![store::delete_sign_in(&browser.lookup)]);
        taken.await.map_err(|error| match error {
            StoreError::Guard => not_under_way(),
            error => error.into(),
        })?;
        Ok(Taken { sign_in, code })
    }

    async fn tell_of_failure(
        &self,
        academy: &Academy,
        origin: &Origin,
        provider: &str,
    ) -> Result<(), Problem> {
        let entry = Audit {
            action: "sign_in.failed",
            actor: None,
            target: format!("identity_provider:{provider}"),
            origin,
            sealed_for: None,
            change: None,
        };
        let entry = entry.append(&self.edge.ports, self.edge.ports.now())?;
        self.edge.tenant(academy.id).batch(entry.into()).await?;
        Ok(())
    }

    /// Somebody whose identity is known.
    async fn enter(
        &self,
        academy: &Academy,
        origin: &Origin,
        keeping: Keeping,
        linked: Linked,
    ) -> Result<Response, Problem> {
        if !linked.active {
            return Err(Problem::forbidden().with_detail("This account is suspended."));
        }
        if linked.has_second_factor {
            let needed = self.sessions.challenge(academy.id, linked.id, self.edge.ports.now());
            return forgetting((StatusCode::ACCEPTED, Body(needed)).into_response());
        }
        let key =
            self.vault.unwrap_key(academy.id, linked.id, &linked.wrapped_key).map_err(Problem::broken)?;
        let proven = Proven {
            tenant: academy.id,
            person: linked.id,
            key: &key,
            granted: &linked.granted,
            origin,
            by: "provider",
        };
        let counter = self.throttles.address_tries(b"provider", origin);
        let tokens = self.sessions.start(proven, None, throttle::forgiven(&[counter])).await?;
        forgetting(keeping.deliver(tokens)?)
    }
}

/// The answer to a browser that is through.
fn forgetting(mut answer: Response) -> Result<Response, Problem> {
    answer.headers_mut().append(header::SET_COOKIE, no_cookie()?);
    Ok(answer)
}

fn link_needed() -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "link-needed",
        "This identity belongs to no account yet. If you have one, sign in to it as before, then link the identity; else register.",
    )
}
