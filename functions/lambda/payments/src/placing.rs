//! A quote becomes an order.

use akademi_api::{
    Caller, Problem,
    quote::{QuoteError, QuoteTerms},
};
use akademi_domain::{
    ids::{BundleId, CourseId, EnrolmentId, OrderId},
    order::{self, OrderState},
    pricing::{self, Basket, Bundle, Quote},
    time::Timestamp,
};
use akademi_feed::LambdaEvent;
use akademi_lambda_store::{feed, postgres::TenantTransaction};

use crate::{
    ORDER_SECONDS, Payments, PaymentsError,
    error::conflict,
    holds::{self, Missing},
    store::{self, Hold, Offer, Order, OrderLine},
};

/// An order that is stored, and what it needs of what ends.
pub struct Placed {
    pub order: Order,
    /// In the basket's order.
    pub lines: Vec<OrderLine>,
    holds: Vec<Hold>,
}

impl Placed {
    /// Takes what the order needs: last before the commit, since others wait for it from here on. An order of nothing to pay
    /// gets its courses.
    ///
    /// # Errors
    /// 409 if a coupon is used up, a course is full or the person has one of the courses.
    pub async fn take_holds(&self, tx: &mut TenantTransaction, now: Timestamp) -> Result<(), PaymentsError> {
        let order = &self.order;
        // Before the budgets, as where money comes in time. A late capture takes budgets first: of two that wait for each other
        // the database ends one, which is answered with 503 or told again by its provider.
        if order.state == OrderState::Paid && !grant(tx, order, now).await?.is_empty() {
            return Err(already_enrolled().into());
        }
        match holds::take(tx, order, &self.holds, now).await? {
            None if holds::are_current(tx, &self.holds).await? => {}
            None => return Err(price_changed().into()),
            Some(Missing::Use) => {
                let detail = "A coupon is used up: ask for a new quote.";
                return Err(conflict("coupon-not-available", detail).into());
            }
            Some(Missing::Seat) => return Err(conflict("course-full", "No seat of a course is left.").into()),
        }
        if order.state == OrderState::Paid {
            store::confirm(tx, order.id.as_uuid(), now).await?;
        }
        Ok(())
    }
}

/// Makes the order of a quote: priced again from this plane's own tables. Its holds are to be taken in the same transaction.
///
/// # Errors
/// 422 for what is no quote, 404 for another person's, 409 if it has expired, costs something else by now, another shop
/// sells one of the courses or the person has one.
pub async fn place(
    payments: &Payments,
    tx: &mut TenantTransaction,
    caller: &Caller,
    quote: &str,
    idempotency_key: &str,
) -> Result<Placed, PaymentsError> {
    let now = payments.ports.now();
    let terms = payments.quotes.verify(quote, now).map_err(|error| match error {
        QuoteError::Invalid => Problem::field("quote", error),
        QuoteError::Expired => conflict("quote-expired", "The quote has expired: ask for a new one."),
    })?;
    if terms.tenant != caller.tenant || terms.person != caller.user {
        return Err(Problem::not_found().into());
    }
    let courses: Vec<CourseId> = terms.lines.iter().map(|line| line.course).collect();
    let offers = store::lock_offers(tx, caller.user, &courses).await?;
    if offers.iter().any(|offer| offer.is_had) {
        return Err(already_enrolled().into());
    }
    // After the offers' lock, for which whoever sets a shop waits.
    if store::is_one_sold_elsewhere(tx, &courses).await? {
        let detail = "Another shop sells a course of it: ask for a new quote.";
        return Err(conflict("sold-elsewhere", detail).into());
    }
    let (coupons, priced) = price_again(tx, &terms, &offers, now).await?;
    let machine = order::Order::new(priced.total);
    let order = Order {
        id: OrderId::new(now, payments.ports.random()),
        user: caller.user,
        state: machine.state,
        subtotal: priced.subtotal,
        discount: priced.discount,
        total: priced.total,
        vat: priced.vat,
        captured_by: None,
        created_at: now,
        expires_at: now.plus_seconds(ORDER_SECONDS),
        paid_at: (machine.state == OrderState::Paid).then_some(now),
    };
    let lines: Vec<_> = priced
        .lines
        .iter()
        .zip(offers)
        .map(|(line, offer)| OrderLine {
            course: line.course,
            bundle: line.bundle,
            title: offer.title,
            price: line.price,
            discount: line.discount,
            total: line.total,
            vat_rate: line.vat_rate,
            vat: line.vat,
            enrolment: EnrolmentId::new(now, payments.ports.random()),
        })
        .collect();
    let seats = store::insert_order(tx, &order, &lines, idempotency_key).await?;
    Ok(Placed { order, lines, holds: holds::needed(order.user, &coupons, &seats) })
}

/// The order of an earlier request: it holds what it needs.
///
/// # Errors
/// When the database does not answer.
pub async fn again(tx: &mut TenantTransaction, order: Order) -> Result<Placed, PaymentsError> {
    let lines = store::order_lines(tx, order.id).await?;
    Ok(Placed { order, lines, holds: Vec::new() })
}

/// What these offers cost now, if they are all that was quoted, in its lines' order, for what was quoted, and with which
/// coupons. That a coupon is for a first purchase only is seen to where its use is held.
async fn price_again(
    tx: &mut TenantTransaction,
    terms: &QuoteTerms,
    offers: &[Offer],
    now: Timestamp,
) -> Result<(Vec<store::Coupon>, Quote), PaymentsError> {
    let mut bundle_ids: Vec<BundleId> = Vec::new();
    for bundle in terms.lines.iter().filter_map(|line| line.bundle) {
        if !bundle_ids.contains(&bundle) {
            bundle_ids.push(bundle);
        }
    }
    let bundles = match &*bundle_ids {
        [] => Vec::new(),
        ids => store::lock_bundles_for_sale(tx, ids).await?,
    };
    if offers.len() != terms.lines.len() {
        return Err(price_changed().into());
    }
    // As the edge does: the courses that are bought alone, then the bundles, each with its own courses.
    let alone = terms.lines.iter().zip(offers).filter(|(line, _)| line.bundle.is_none());
    let mut lines: Vec<_> = alone.map(|(_, offer)| offer.product.line(now)).collect();
    for id in bundle_ids {
        let bundle = bundles.iter().find(|bundle| bundle.id == id).ok_or_else(price_changed)?;
        let product = |course: &CourseId| {
            offers.iter().map(|offer| &offer.product).find(|product| product.course == *course).cloned()
        };
        let courses =
            bundle.courses.iter().map(product).collect::<Option<Vec<_>>>().ok_or_else(price_changed)?;
        let bundle = Bundle { id, price: bundle.price, sale: bundle.sale, courses };
        lines.extend(bundle.lines(&[], now).map_err(|_| price_changed())?);
    }
    let mut coupons = Vec::with_capacity(terms.coupons.len());
    for id in &terms.coupons {
        coupons.push(store::find_coupon(tx, *id).await?.ok_or_else(price_changed)?);
    }
    let wanted: Vec<_> = coupons.iter().map(|coupon| (coupon.id, coupon.terms.clone())).collect();
    let basket = Basket { lines: &lines, coupons: &wanted, is_first_purchase: true };
    let priced = pricing::quote(&basket, now).map_err(|_| price_changed())?;
    if terms.are_of(&priced) { Ok((coupons, priced)) } else { Err(price_changed().into()) }
}

/// Tells the edge of each line that is paid, and answers those whose courses the person has bought with another order.
pub async fn grant(
    tx: &mut TenantTransaction,
    order: &Order,
    now: Timestamp,
) -> Result<Vec<OrderLine>, PaymentsError> {
    let lines = store::order_lines(tx, order.id).await?;
    // In one order, so that two orders of one person wait for each other, and never both.
    let mut courses: Vec<CourseId> = lines.iter().map(|line| line.course).collect();
    courses.sort_unstable();
    let mut bought = Vec::with_capacity(courses.len());
    for course in courses {
        if store::insert_purchase(tx, order.user, course, order.id).await? {
            bought.push(course);
        }
    }
    let (paid, bought_before): (Vec<_>, Vec<_>) =
        lines.into_iter().partition(|line| bought.contains(&line.course));
    for line in paid {
        let granted = LambdaEvent::EnrolmentGranted {
            person: order.user,
            course: line.course,
            enrolment: line.enrolment,
            order: order.id,
            at: now,
        };
        feed::append(tx, &granted, now).await?;
    }
    Ok(bought_before)
}

fn price_changed() -> Problem {
    conflict("price-changed", "A price has changed since the quote: ask for a new one.")
}

fn already_enrolled() -> Problem {
    conflict("already-enrolled", "You have one of these courses already.")
}
