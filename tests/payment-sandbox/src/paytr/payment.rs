//! One attempt to pay and everything that happened to it.

use serde::Serialize;

use super::amount::dotted;
use crate::callbacks::{Callback, Millis};

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Payment {
    pub merchant_id: String,
    pub merchant_oid: String,
    /// The last part of the payment page's address.
    pub token: String,
    /// What is asked, in minor units.
    pub payment_amount: i64,
    /// As PayTR spells it: `TL`.
    pub currency: String,
    pub test_mode: bool,
    pub email: String,
    pub user_name: String,
    pub basket: Vec<BasketLine>,
    /// The most installments that the page offers; 1 is a single payment.
    pub max_installments: u8,
    pub ok_url: String,
    pub fail_url: String,
    pub outcome: Option<Outcome>,
    pub callbacks: Vec<Callback>,
    pub refunds: Vec<Refund>,
}

/// Name, unit price in major units as it was sent, quantity.
#[derive(Debug, Clone, Serialize, serde::Deserialize)]
pub(crate) struct BasketLine(pub String, pub String, pub u32);

/// Final once it is there.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Outcome {
    pub at: Millis,
    /// What the buyer paid, with interest, in minor units; 0 after a failure.
    pub total_amount: i64,
    /// 0 for a single payment.
    pub installments: u8,
    pub failure: Option<Failure>,
}

/// `failed_reason_code` and `failed_reason_msg`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Failure {
    pub code: u8,
    pub message: &'static str,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Refund {
    pub at: Millis,
    /// Minor units.
    pub amount: i64,
    pub reference_no: String,
}

/// Why a refund is refused, as `err_no`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefundRefused {
    NotPaid,
    NotNotified,
    MoreThanRemaining,
}

impl Payment {
    pub(crate) fn captured(&self) -> Option<&Outcome> {
        self.outcome.as_ref().filter(|outcome| outcome.failure.is_none())
    }

    /// The merchant has answered a notification with `OK`, without which PayTR does not settle.
    pub(crate) fn notified(&self) -> bool {
        self.callbacks.iter().any(|callback| callback.accepted)
    }

    pub(crate) fn refunded(&self) -> i64 {
        self.refunds.iter().map(|refund| refund.amount).sum()
    }

    pub(crate) fn refund(&mut self, refund: Refund) -> Result<(), RefundRefused> {
        let paid = self.captured().ok_or(RefundRefused::NotPaid)?.total_amount;
        if !self.notified() {
            return Err(RefundRefused::NotNotified);
        }
        if refund.amount > paid - self.refunded() {
            return Err(RefundRefused::MoreThanRemaining);
        }
        self.refunds.push(refund);
        Ok(())
    }

    /// The buyer pays in so many parts; 0 is a single payment. Interest is one percent a month.
    pub(crate) fn total_with_interest(&self, installments: u8) -> i64 {
        self.payment_amount + self.payment_amount * i64::from(installments) / 100
    }

    /// For a person, in Turkish notation: `149,90 TL`.
    pub(crate) fn price(&self, minor: i64) -> String {
        format!("{} {}", dotted(minor).replace('.', ","), self.currency)
    }
}

/// The reasons that the page offers for a refusal, and those that come about by themselves.
pub(crate) const FAILURES: [Failure; 9] = [
    Failure { code: 0, message: "Bankanız işlemi onaylamadı: yetersiz bakiye" },
    Failure { code: 1, message: "Kimlik doğrulama yapılmadı" },
    Failure { code: 2, message: "Kimlik doğrulama başarısız" },
    Failure { code: 3, message: "Güvenlik kontrolü onaylanmadı" },
    Failure { code: 6, message: "Müşteri ödeme yapmaktan vazgeçti veya süre doldu" },
    Failure { code: 8, message: "Bu karta taksit yapılamamaktadır" },
    Failure { code: 9, message: "Bu kart ile işlem yetkisi bulunmamaktadır" },
    Failure { code: 10, message: "Bu işlemde 3D Secure kullanılmalıdır" },
    Failure { code: 11, message: "Güvenlik uyarısı" },
];

/// `failed_reason_code` of a page that was left.
pub(crate) const ABANDONED: u8 = 6;

pub(crate) fn failure(code: u8) -> Option<Failure> {
    FAILURES.into_iter().find(|failure| failure.code == code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn paid(total_amount: i64, notified: bool) -> Payment {
        let callback = Callback {
            at: 0,
            dropped: false,
            status: Some(200),
            answer: "OK".to_owned(),
            accepted: notified,
        };
        Payment {
            merchant_id: String::new(),
            merchant_oid: String::new(),
            token: String::new(),
            payment_amount: total_amount,
            currency: "TL".to_owned(),
            test_mode: true,
            email: String::new(),
            user_name: String::new(),
            basket: Vec::new(),
            max_installments: 1,
            ok_url: String::new(),
            fail_url: String::new(),
            outcome: Some(Outcome { at: 0, total_amount, installments: 0, failure: None }),
            callbacks: vec![callback],
            refunds: Vec::new(),
        }
    }

    fn refund(amount: i64) -> Refund {
        Refund { at: 0, amount, reference_no: String::new() }
    }

    proptest! {
        #[test]
        fn refunds_never_exceed_what_was_paid(
            total in 1i64..100_000,
            amounts in proptest::collection::vec(1i64..60_000, 0..12),
        ) {
            let mut payment = paid(total, true);
            for amount in amounts {
                let before = payment.refunded();
                let fits = before + amount <= total;
                prop_assert_eq!(payment.refund(refund(amount)).is_ok(), fits);
                prop_assert!(payment.refunded() <= total);
            }
        }
    }

    #[test]
    fn a_payment_that_was_not_acknowledged_is_not_refunded() {
        assert_eq!(paid(100, false).refund(refund(100)), Err(RefundRefused::NotNotified));
        let failed = Outcome { at: 0, total_amount: 0, installments: 0, failure: failure(0) };
        let mut payment = Payment { outcome: Some(failed), ..paid(100, true) };
        assert_eq!(payment.refund(refund(1)), Err(RefundRefused::NotPaid));
    }

    #[test]
    fn prices_read_as_turkish_readers_write_them() {
        assert_eq!(paid(0, true).price(14990), "149,90 TL");
        assert_eq!(paid(10_000, true).total_with_interest(3), 10_300);
    }
}
