//! Whose cart a request is about: a person's own, or that of a guest's browser.

use akademi_api::{
    Academy, Caller, Problem,
    authorization::{cookie, own_page, set_cookie},
};
use akademi_domain::{
    ids::{TenantId, UserId},
    retention::GUEST_CARTS,
};
use akademi_edge_store::{Constraint, StoreError, TenantStatement};
use akademi_identity::{
    Origin,
    throttle::{self, Attempt},
};
use axum::{
    extract::FromRequestParts,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, Method, header, request::Parts};
use sha2::{Digest, Sha256};

use crate::{Cart, store};

/// The cookie of a guest's cart.
const GUEST_COOKIE: &str = "__Host-akademi_cart";
/// As long as a guest's cart is kept after its last change.
const GUEST_SECONDS: i64 = GUEST_CARTS.days * 24 * 3600;

/// What a guest's browser keeps: 128 random bits.
#[derive(Clone, Copy, PartialEq, Eq)]
struct GuestToken([u8; 16]);

impl GuestToken {
    fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Self(bytes))
    }

    /// The cart that it opens; the store does not tell the token.
    fn cart(self) -> CartId {
        CartId(hex::encode(Sha256::digest(self.0)))
    }

    fn cookie(self) -> Result<HeaderValue, Problem> {
        set_cookie(GUEST_COOKIE, &hex::encode(self.0), GUEST_SECONDS)
    }
}

/// A cart within its academy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CartId(String);

impl CartId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Who asks, and what cart their browser keeps.
pub struct Visitor {
    tenant: TenantId,
    caller: Option<Caller>,
    guest: Option<GuestToken>,
    writes: bool,
    pub origin: Origin,
}

impl<S: Sync> FromRequestParts<S> for Visitor {
    type Rejection = Problem;

    /// # Errors
    /// `cross-site-request` when another site's page would change a guest's cart; `token-invalid` for two cookies.
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let academy = Academy::from_request_parts(parts, state).await?;
        let Ok(origin) = Origin::from_request_parts(parts, state).await;
        let caller = parts.extensions.get::<Caller>().copied();
        let guest = cookie(&parts.headers, GUEST_COOKIE)?.and_then(GuestToken::parse);
        let writes = !matches!(parts.method, Method::GET | Method::HEAD);
        if guest.is_some() && caller.is_none() && writes {
            own_page(&parts.headers, &parts.uri)?;
        }
        Ok(Self { tenant: academy.id, caller, guest, writes, origin })
    }
}

/// Whose cart it is.
pub struct Holder {
    pub tenant: TenantId,
    pub cart: CartId,
    pub caller: Option<Caller>,
    /// Whether it was there before this request; [`Cart::holder`] takes the browser's word for it.
    pub is_known: bool,
    /// A cart that begins is counted by the address.
    begun: Option<Attempt>,
    /// What the browser keeps from now on.
    cookie: Option<HeaderValue>,
}

impl Holder {
    pub fn person(&self) -> Option<UserId> {
        self.caller.map(|caller| caller.user)
    }

    /// The statements that take the count back of a cart that was not begun after all; none where nothing was counted.
    pub fn not_begun(&self) -> Vec<TenantStatement> {
        self.begun.as_ref().map(Attempt::succeeded).unwrap_or_default()
    }

    /// `answer`, with what the browser is to keep.
    pub fn answer(self, answer: impl IntoResponse) -> Response {
        let mut response = answer.into_response();
        if let Some(cookie) = self.cookie {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        response
    }

    /// `answer` to a guest whose cart is gone; others keep what they keep.
    pub fn answer_without_cart(mut self, answer: impl IntoResponse) -> Result<Response, Problem> {
        if self.caller.is_none() {
            self.cookie = Some(no_cookie()?);
        }
        Ok(self.answer(answer))
    }
}

impl Cart {
    /// Whose cart it is, if there may be one.
    ///
    /// Of somebody who was a guest and has signed in, both carts are one from now on.
    ///
    /// # Errors
    /// Of the store; `session-ended` for somebody whose account is gone.
    pub async fn holder(&self, visitor: &Visitor) -> Result<Option<Holder>, Problem> {
        let Visitor { tenant, caller, guest, writes, .. } = *visitor;
        match (caller, guest) {
            (Some(caller), guest) => {
                let cart = CartId(caller.user.to_string());
                if let Some(guest) = guest {
                    let merge = store::merge(&guest.cart(), &cart, self.edge.ports.now());
                    self.edge.tenant(tenant).batch(merge.into()).await.map_err(of_person)?;
                }
                let cookie = guest.map(|_| no_cookie()).transpose()?;
                Ok(Some(Holder { tenant, cart, caller: Some(caller), is_known: true, begun: None, cookie }))
            }
            (None, Some(guest)) => {
                // What is changed is kept for as long again.
                let cookie = writes.then(|| guest.cookie()).transpose()?;
                Ok(Some(Holder { is_known: true, cookie, ..new_guest(tenant, guest)? }))
            }
            (None, None) => Ok(None),
        }
    }

    /// Whose cart it is; a guest who has none begins one.
    ///
    /// # Errors
    /// As [`Cart::holder`]; 429 for an address that begins too many.
    pub async fn holder_or_new(&self, visitor: &Visitor) -> Result<Holder, Problem> {
        let mut holder = match self.holder(visitor).await? {
            Some(holder) => holder,
            None => new_guest(visitor.tenant, GuestToken(self.edge.ports.random()))?,
        };
        if holder.caller.is_none() {
            let (database, now) = (self.edge.tenant(holder.tenant), self.edge.ports.now());
            // A browser can make a cookie up as easily as throw it away.
            holder.is_known = holder.is_known && store::cart_exists(&database, &holder.cart).await?;
            if !holder.is_known {
                let counter = self.throttles.address_tries(b"cart", &visitor.origin);
                holder.begun = Some(throttle::admit(&database, &[counter], now).await?);
            }
        }
        Ok(holder)
    }
}

fn new_guest(tenant: TenantId, guest: GuestToken) -> Result<Holder, Problem> {
    let cookie = Some(guest.cookie()?);
    Ok(Holder { tenant, cart: guest.cart(), caller: None, is_known: false, begun: None, cookie })
}

fn no_cookie() -> Result<HeaderValue, Problem> {
    set_cookie(GUEST_COOKIE, "", 0)
}

/// A cart is of somebody who has an account.
pub fn of_person(error: StoreError) -> Problem {
    match error {
        StoreError::Refused { constraint: Constraint::ForeignKey, .. } => Problem::session_ended(),
        error => error.into(),
    }
}
