//! Addresses that somebody asks to have kept.

use akademi_api::{Body, Caller, PathParam, Problem, problem::ProblemDocument};
use akademi_domain::{ids::AddressId, time::Timestamp};
use akademi_edge_store::StoreError;
use akademi_identity::Known;
use akademi_seal::PersonKey;
use axum::extract::State;
use http::StatusCode;
use serde::Serialize;

use crate::{
    Cart,
    billing_address::{BillingAddress, InvoicedTo, OrderBuyer},
    store::{self, StoredAddress},
};

/// What is sealed; the export tells it by this name too.
const FIELD: &str = "address";

#[derive(Serialize, utoipa::ToSchema)]
pub struct OwnAddress {
    id: AddressId,
    #[serde(flatten)]
    address: BillingAddress,
    /// Whether it is the one that bills go to.
    is_default: bool,
    created_at: Timestamp,
    /// Send this with an order; null without a telephone number.
    buyer: Option<OrderBuyer>,
    /// Send this to have the order's invoice made out to it.
    invoice_details: InvoicedTo,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct OwnAddresses {
    data: Vec<OwnAddress>,
}

impl OwnAddress {
    fn new(id: AddressId, address: BillingAddress, is_default: bool, created_at: Timestamp) -> Self {
        let (buyer, invoice_details) = (address.buyer(), address.invoiced_to());
        Self { id, address, is_default, created_at, buyer, invoice_details }
    }

    fn open(stored: &StoredAddress, key: &PersonKey, caller: &Caller) -> Result<Self, Problem> {
        let plain = key.open(caller.user, FIELD, &stored.sealed).map_err(Problem::broken)?;
        let address = serde_json::from_slice(&plain)
            .map_err(|_| Problem::broken("a sealed address has another shape"))?;
        Ok(Self::new(stored.id, address, stored.is_default, stored.created_at))
    }
}

/// One's own addresses
#[utoipa::path(get, path = "/api/v1/users/me/addresses", tag = "account",
    responses((status = 200, description = "The addresses, oldest first", body = OwnAddresses)))]
pub async fn list(State(cart): State<Cart>, caller: Caller) -> Result<Body<OwnAddresses>, Problem> {
    let Known { key, .. } = cart.known(&caller).await?;
    let stored = store::list_addresses(&cart.edge.tenant(caller.tenant), caller.user).await?;
    let data =
        stored.iter().map(|stored| OwnAddress::open(stored, &key, &caller)).collect::<Result<_, _>>()?;
    Ok(Body(OwnAddresses { data }))
}

/// Have an address kept
///
/// At most twenty. Bills go to the default one: the first, until another says that it is.
#[utoipa::path(post, path = "/api/v1/users/me/addresses", tag = "account", request_body = BillingAddress,
    responses((status = 201, description = "The address", body = OwnAddress),
              (status = 409, description = "There are twenty already", body = ProblemDocument, content_type = "application/problem+json")))]
pub async fn add(
    State(cart): State<Cart>,
    caller: Caller,
    Body(new): Body<BillingAddress>,
) -> Result<(StatusCode, Body<OwnAddress>), Problem> {
    let new = new.checked()?;
    let ports = &cart.edge.ports;
    let id = AddressId::new(ports.now(), ports.random());
    let Known { key, .. } = cart.known(&caller).await?;
    let sealed = seal(&cart, &caller, &key, &new)?;
    let mut batch = vec![store::insert_address(caller.user, id, &sealed, ports.now())];
    batch.extend(store::settle_default(caller.user, new.is_default.then_some(id)));
    let database = cart.edge.tenant(caller.tenant);
    match database.batch_if(store::has_room_for_address(caller.user), batch).await {
        Ok(_) => Ok((StatusCode::CREATED, find(&cart, &caller, &key, id).await?)),
        Err(StoreError::Guard) => Err(Problem::new(
            StatusCode::CONFLICT,
            "too-many-addresses",
            "You have 20 addresses: remove one first.",
        )),
        Err(error) => Err(error.into()),
    }
}

/// Change an address
///
/// All of it. That it is the default one ends only when another becomes that.
#[utoipa::path(put, path = "/api/v1/users/me/addresses/{address_id}", tag = "account", request_body = BillingAddress,
    params(("address_id" = AddressId, Path, description = "The address")),
    responses((status = 200, description = "The address as it is now", body = OwnAddress)))]
pub async fn change(
    State(cart): State<Cart>,
    caller: Caller,
    PathParam(id): PathParam<AddressId>,
    Body(new): Body<BillingAddress>,
) -> Result<Body<OwnAddress>, Problem> {
    let new = new.checked()?;
    let Known { key, .. } = cart.known(&caller).await?;
    let sealed = seal(&cart, &caller, &key, &new)?;
    let mut batch = vec![store::update_address(caller.user, id, &sealed)];
    batch.extend(store::settle_default(caller.user, new.is_default.then_some(id)));
    let database = cart.edge.tenant(caller.tenant);
    match database.batch_if(store::has_address(caller.user, id), batch).await {
        Ok(_) => find(&cart, &caller, &key, id).await,
        Err(StoreError::Guard) => Err(Problem::not_found()),
        Err(error) => Err(error.into()),
    }
}

/// Remove an address
///
/// After the default one, the oldest of the others is that.
#[utoipa::path(delete, path = "/api/v1/users/me/addresses/{address_id}", tag = "account",
    params(("address_id" = AddressId, Path, description = "The address")),
    responses((status = 204, description = "It is kept no more")))]
pub async fn remove(
    State(cart): State<Cart>,
    caller: Caller,
    PathParam(id): PathParam<AddressId>,
) -> Result<StatusCode, Problem> {
    let mut batch = vec![store::delete_address(caller.user, id)];
    batch.extend(store::settle_default(caller.user, None));
    let database = cart.edge.tenant(caller.tenant);
    match database.batch_if(store::has_address(caller.user, id), batch).await {
        Ok(_) => Ok(StatusCode::NO_CONTENT),
        Err(StoreError::Guard) => Err(Problem::not_found()),
        Err(error) => Err(error.into()),
    }
}

impl Cart {
    async fn known(&self, caller: &Caller) -> Result<Known, Problem> {
        Known::find(&self.edge.tenant(caller.tenant), &self.vault, caller).await
    }
}

fn seal(cart: &Cart, caller: &Caller, key: &PersonKey, address: &BillingAddress) -> Result<Vec<u8>, Problem> {
    let plain = serde_json::to_vec(address).map_err(Problem::broken)?;
    Ok(key.seal(caller.user, FIELD, &plain, cart.edge.ports.random()))
}

/// An address as it stands now.
async fn find(
    cart: &Cart,
    caller: &Caller,
    key: &PersonKey,
    id: AddressId,
) -> Result<Body<OwnAddress>, Problem> {
    let stored = store::list_addresses(&cart.edge.tenant(caller.tenant), caller.user).await?;
    let stored = stored.iter().find(|stored| stored.id == id).ok_or_else(Problem::not_found)?;
    Ok(Body(OwnAddress::open(stored, key, caller)?))
}
