//! Status inquiry (dev.paytr.com, durum-sorgu).

use akademi_domain::money::Money;
use serde_json::Value;

use super::{ErrorAnswer, Form, PayTr, amount::from_json, hosted_page::currency_of};
use crate::provider::{Captured, Inquiry, ProviderError, Reference, RefundSeen, Refusal};

#[derive(serde::Deserialize)]
#[serde(tag = "status", rename_all = "lowercase")]
enum Answer {
    Success(Box<Payment>),
    Error(ErrorAnswer),
}

#[derive(serde::Deserialize)]
struct Payment {
    payment_amount: Value,
    payment_total: Value,
    currency: String,
    #[serde(default)]
    test_mode: Value,
    /// A list, or the same list as JSON text; absent, null or empty when nothing was given back.
    #[serde(default)]
    returns: Value,
}

pub(super) async fn inquire(paytr: &PayTr, attempt: &Reference) -> Result<Inquiry, ProviderError> {
    match paytr.post("/odeme/durum-sorgu", &form(paytr, attempt)).await? {
        Answer::Success(payment) => captured(&payment)
            .map(Inquiry::Captured)
            .ok_or_else(|| ProviderError::OutcomeUnknown("the status cannot be read".to_owned())),
        Answer::Error(error) if error.err_no == "004" => Ok(Inquiry::NotCaptured),
        Answer::Error(error) => {
            let reason = if error.err_no == "000" { Refusal::Busy } else { Refusal::Configuration };
            Err(error.refused(reason))
        }
    }
}

pub(super) fn form(paytr: &PayTr, attempt: &Reference) -> Form {
    let token = paytr.signer.request_token(&[&paytr.merchant_id, attempt.as_str()]);
    vec![
        ("merchant_id", paytr.merchant_id.clone()),
        ("merchant_oid", attempt.to_string()),
        ("paytr_token", token),
    ]
}

fn captured(payment: &Payment) -> Option<Captured> {
    Some(Captured {
        amount: Money {
            amount: from_json(&payment.payment_amount)?,
            currency: currency_of(&payment.currency)?,
        },
        total_amount: from_json(&payment.payment_total)?,
        refunds: refunds(&payment.returns)?,
        test: matches!(&payment.test_mode, Value::String(text) if text == "1") || payment.test_mode == 1,
    })
}

/// `None` for a list that cannot be read: to overlook a refund would be to pay it twice.
fn refunds(returns: &Value) -> Option<Vec<RefundSeen>> {
    match returns {
        Value::Null => Some(Vec::new()),
        Value::String(text) if text.trim().is_empty() => Some(Vec::new()),
        Value::String(text) => match serde_json::from_str(text).ok()? {
            list @ Value::Array(_) => refunds(&list),
            _ => None,
        },
        Value::Array(rows) => rows.iter().map(refund_seen).collect(),
        _ => None,
    }
}

fn refund_seen(row: &Value) -> Option<RefundSeen> {
    let amount = row.get("amount").or_else(|| row.get("return_amount"))?;
    let reference = row.get("reference_no").and_then(Value::as_str).filter(|text| !text.is_empty());
    Some(RefundSeen { amount: from_json(amount)?, reference: reference.map(str::to_owned) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use akademi_domain::money::Currency;
    use serde_json::json;

    #[test]
    fn the_documented_answer_is_read_with_its_commas() {
        let answer = json!({
            "status": "success", "payment_amount": "10,8", "payment_total": "11,25",
            "payment_date": "2026-09-21 17:13:20", "currency": "TL", "taksit": "3", "test_mode": "1",
            "net_tutar": "10.10", "kesinti_tutari": "0.70",
            "returns": [{"amount": "1.25", "date": "2026-09-22", "reference_no": "R1"}, {"amount": "2,5"}],
        });
        let Answer::Success(payment) = serde_json::from_value(answer).unwrap() else {
            panic!("read as an error")
        };
        let captured = captured(&payment).unwrap();
        assert_eq!(captured.amount, Money { amount: 1080, currency: Currency::TRY });
        assert_eq!(captured.total_amount, 1125);
        assert!(captured.test);
        assert_eq!(
            captured.refunds,
            [
                RefundSeen { amount: 125, reference: Some("R1".to_owned()) },
                RefundSeen { amount: 250, reference: None },
            ]
        );
    }

    #[test]
    fn refunds_that_cannot_be_read_are_not_taken_for_none() {
        for none in [json!(null), json!(""), json!([]), json!("[]")] {
            assert_eq!(refunds(&none), Some(Vec::new()), "{none}");
        }
        assert_eq!(refunds(&json!(r#"[{"return_amount":"3"}]"#)).unwrap().len(), 1);
        for unreadable in
            [json!("çok"), json!([{"tutar": "1"}]), json!([{"amount": "x"}]), json!(7), json!({})]
        {
            assert_eq!(refunds(&unreadable), None, "{unreadable}");
        }
    }
}
