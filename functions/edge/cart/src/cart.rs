//! `/api/v1/cart`: the whole of it.

use akademi_api::{Body, Problem};
use akademi_coupons::{
    Offers,
    basket::{self, Basket, CouponAnswer, Item, ItemRefusal, PricedBasket},
};
use akademi_domain::{
    ids::CourseId,
    money::Money,
    pricing::{CouponCode, Quote, QuotedLine, Sale},
    time::Timestamp,
};
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde::Serialize;

use crate::{
    Cart,
    holder::{Holder, Visitor},
    store::{self, StoredItem},
};

/// A cart. Amounts are in one currency, VAT inside.
#[derive(Default, Serialize, utoipa::ToSchema)]
#[schema(as = Cart)]
pub struct CartAnswer {
    /// In the order in which they were put there.
    items: Vec<CartItem>,
    coupons: Vec<CartCoupon>,
    /// What each course costs that can be bought: those that are bought alone, and then those of each bundle.
    lines: Vec<QuotedLine>,
    /// What all of that costs; null when nothing can be bought.
    totals: Option<CartTotals>,
    /// Of whoever is signed in: send this with the order. It reserves nothing.
    quote: Option<String>,
    /// Until when an order may be made with it.
    expires_at: Option<Timestamp>,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct CartItem {
    kind: CartItemKind,
    #[schema(format = Uuid)]
    id: String,
    /// Null for what the academy no longer knows.
    title: Option<String>,
    /// Of a course's page.
    #[serde(skip_serializing_if = "Option::is_none")]
    slug: Option<String>,
    /// Of a bundle.
    #[serde(skip_serializing_if = "Option::is_none")]
    courses: Option<Vec<CourseId>>,
    /// Without a sale and before any coupon; null when it is not for sale.
    price: Option<Money>,
    /// What is paid instead at the moment, and until when.
    sale: Option<Sale>,
    /// Why it cannot be bought: then it is in no total.
    refused: Option<ItemRefusal>,
}

#[derive(Clone, Copy, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CartItemKind {
    Course,
    Bundle,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct CartCoupon {
    code: CouponCode,
    #[serde(flatten)]
    answer: CouponAnswer,
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct CartTotals {
    subtotal: Money,
    discount: Money,
    /// What is to be paid.
    total: Money,
    /// The VAT inside the total.
    vat: Money,
}

/// The cart
///
/// What is in it, what that costs, what became of each coupon, and what cannot be bought and why: as a quote says it. For
/// whoever is signed in it comes with a quote, which is good for 15 minutes; a guest's is priced as for somebody who has
/// bought nothing. What somebody has bought since they put it there has left it. A guest has a cart by a cookie; the first
/// request after signing in puts what is in it into one's own.
#[utoipa::path(get, path = "/api/v1/cart", tag = "cart",
    responses((status = 200, description = "What is in it and what it costs", body = CartAnswer)))]
pub async fn show(State(cart): State<Cart>, visitor: Visitor) -> Result<Response, Problem> {
    let Some(holder) = cart.holder(&visitor).await? else {
        return Ok(Body(CartAnswer::default()).into_response());
    };
    let answer = priced(&cart, &holder).await?;
    Ok(holder.answer(Body(answer)))
}

/// Empty the cart
///
/// Of all items and coupons.
#[utoipa::path(delete, path = "/api/v1/cart", tag = "cart",
    responses((status = 204, description = "Nothing is in it")))]
pub async fn empty(State(cart): State<Cart>, visitor: Visitor) -> Result<Response, Problem> {
    let Some(holder) = cart.holder(&visitor).await? else {
        return Ok(StatusCode::NO_CONTENT.into_response());
    };
    cart.edge.tenant(holder.tenant).batch(vec![store::delete_cart(&holder.cart)]).await?;
    holder.answer_without_cart(StatusCode::NO_CONTENT)
}

/// With three statements at most, and one step more where something was bought.
async fn priced(cart: &Cart, holder: &Holder) -> Result<CartAnswer, Problem> {
    let (database, now) = (cart.edge.tenant(holder.tenant), cart.edge.ports.now());
    let stored = store::list_items(&database, &holder.cart).await?;
    let mut items: Vec<Item> = stored.iter().filter_map(StoredItem::item).collect();
    // As the lines of a quote stand.
    items.sort_by_key(|item| matches!(item, Item::Bundle(_)));
    let codes = stored.iter().filter_map(StoredItem::code);
    let codes: Vec<_> = codes.map(|code| Some(code.clone())).collect();
    if items.is_empty() && codes.is_empty() {
        return Ok(CartAnswer::default());
    }
    let basket = Basket { buyer: holder.person(), items: &items, codes: &codes };
    let priced = basket::price(&database, basket, now).await?;
    let (bought, left): (Vec<_>, Vec<_>) = stored
        .iter()
        .filter_map(|stored| stored.item().map(|item| (item, stored.added_at)))
        .partition(|(item, added_at)| is_bought(*item, *added_at, &priced.offers));
    if !bought.is_empty() {
        let bought = bought.into_iter().map(|(item, _)| item);
        database.batch(store::remove_bought(&holder.cart, bought).into()).await?;
        if left.is_empty() {
            return Ok(CartAnswer::default());
        }
    }
    let signed = match &holder.caller {
        Some(caller) => priced.sign(&cart.quotes, caller, now)?,
        None => None,
    };
    let (quote, expires_at) = signed.map(|signed| (signed.token, signed.expires_at)).unzip();
    let refused = |item| {
        let place = items.iter().position(|known| *known == item)?;
        priced.refused.iter().find(|(refused, _)| *refused == place).map(|(_, refusal)| *refusal)
    };
    let items = left.iter().map(|(item, _)| shown(*item, &priced.offers, refused(*item), now)).collect();
    let PricedBasket { coupons, price, .. } = priced;
    let coupons = codes.into_iter().flatten().zip(coupons);
    let coupons = coupons.map(|(code, answer)| CartCoupon { code, answer }).collect();
    let (lines, totals) = price.map(told).unzip();
    Ok(CartAnswer { items, coupons, lines: lines.unwrap_or_default(), totals, quote, expires_at })
}

/// Whether all of it came to its owner since it was put into the cart.
fn is_bought(item: Item, added_at: Timestamp, offers: &Offers) -> bool {
    let came_since = |course| {
        let enrolled_at = offers.course(course).and_then(|offer| offer.enrolled_at);
        enrolled_at.is_some_and(|enrolled_at| enrolled_at >= added_at)
    };
    match item {
        Item::Course(course) => came_since(course),
        Item::Bundle(bundle) => offers.bundle(bundle).is_some_and(|offer| {
            !offer.courses.is_empty() && offer.courses.iter().all(|course| came_since(*course))
        }),
    }
}

fn shown(item: Item, offers: &Offers, refused: Option<ItemRefusal>, now: Timestamp) -> CartItem {
    let on = |sale: Option<Sale>| sale.filter(|sale| (sale.starts_at..sale.ends_at).contains(&now));
    match item {
        Item::Course(id) => {
            let offer = offers.course(id);
            let product = offer.and_then(|offer| offer.product.as_ref());
            CartItem {
                kind: CartItemKind::Course,
                id: id.to_string(),
                title: offer.map(|offer| offer.title.clone()),
                slug: offer.map(|offer| offer.slug.clone()),
                courses: None,
                price: product.map(|product| product.price),
                sale: on(product.and_then(|product| product.sale)),
                refused,
            }
        }
        Item::Bundle(id) => {
            let offer = offers.bundle(id);
            let sold = offer.filter(|offer| offer.for_sale);
            CartItem {
                kind: CartItemKind::Bundle,
                id: id.to_string(),
                title: offer.map(|offer| offer.title.clone()),
                slug: None,
                courses: offer.map(|offer| offer.courses.clone()),
                price: sold.map(|offer| offer.price),
                sale: on(sold.and_then(|offer| offer.sale)),
                refused,
            }
        }
    }
}

fn told(price: Quote) -> (Vec<QuotedLine>, CartTotals) {
    let Quote { lines, subtotal, discount, total, vat, .. } = price;
    (lines, CartTotals { subtotal, discount, total, vat })
}
