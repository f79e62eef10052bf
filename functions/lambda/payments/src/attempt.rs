//! An attempt to pay an order: registered here before the provider hears of it.

use akademi_api::{Caller, Problem, signed::CallContext};
use akademi_domain::ids::PaymentId;
use akademi_lambda_store::postgres::TenantTransaction;
use http::Uri;
use std::sync::Arc;

use crate::{
    Payments, PaymentsError,
    buyer::{self, Said},
    provider::{BasketLine, Checkout, Installments, PaymentRequest, Provider, ProviderError, Reference},
    store,
};

/// An attempt whose page is to be asked for.
pub struct Attempt {
    pub id: PaymentId,
    provider: Arc<dyn Provider>,
    request: PaymentRequest,
}

impl Attempt {
    /// Asks the provider for the page.
    pub async fn begin(&self) -> Result<Checkout, ProviderError> {
        self.provider.begin(&self.request).await
    }
}

/// Stores a new attempt for a pending order, to be committed before [`Attempt::begin`].
///
/// # Errors
/// 409 if the academy takes no payments; 422 for what its provider would not take; 503 while the buyer is unknown here.
pub async fn register(
    payments: &Payments,
    tx: &mut TenantTransaction,
    caller: &Caller,
    call: &CallContext,
    (order, lines): (&store::Order, &[store::OrderLine]),
    said: Said,
) -> Result<Attempt, PaymentsError> {
    let now = payments.ports.now();
    let provider = payments.provider_for_orders(tx).await?;
    let id = PaymentId::new(now, payments.ports.random());
    let request = request(payments, tx, caller, call, (order, lines), said, id).await?;
    provider.check(&request).map_err(refusal)?;
    store::insert_payment(tx, id, order.id, provider.name(), order.total, now).await?;
    Ok(Attempt { id, provider, request })
}

async fn request(
    payments: &Payments,
    tx: &mut TenantTransaction,
    caller: &Caller,
    call: &CallContext,
    (order, lines): (&store::Order, &[store::OrderLine]),
    said: Said,
    id: PaymentId,
) -> Result<PaymentRequest, PaymentsError> {
    let basket = lines.iter().map(|line| BasketLine {
        name: line.title.clone(),
        unit_price: line.total.amount,
        quantity: 1,
    });
    let (buyer, language) = buyer::find(payments, tx, caller, call, said).await?;
    Ok(PaymentRequest {
        attempt: Reference::from(id),
        amount: order.total,
        buyer,
        basket: basket.collect(),
        success_url: order_page(call, order, "paid")?,
        failure_url: order_page(call, order, "failed")?,
        return_url: call.public_url(&format!("/api/v1/orders/{}/return", order.id))?,
        installments: Installments::Any,
        language,
    })
}

/// The site's page of an order, where the browser comes back. It proves nothing about the payment.
fn order_page(call: &CallContext, order: &store::Order, returned: &str) -> Result<Uri, Problem> {
    call.public_url(&format!("/orders/{}?returned={returned}", order.id))
}

/// A request that the provider would not take, as the buyer can mend it.
fn refusal(error: ProviderError) -> Problem {
    match error {
        ProviderError::Invalid { field: field @ ("phone" | "address"), reason } => {
            Problem::field(format!("buyer.{field}"), reason)
        }
        error => Problem::broken(error),
    }
}

/// The provider gave no page: the order stays as it is, and the same request may be sent again.
pub fn unavailable(error: &ProviderError) -> Problem {
    Problem::unavailable()
        .with_detail("The payment provider cannot be reached: send the same request again in a moment.")
        .retry_after(5)
        .because(error)
}
