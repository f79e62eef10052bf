//! iyzico's state: merchants, payments, and the random texts that were used.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{IyzicoMerchant, payment::Payment};

#[derive(Clone, Default)]
pub(crate) struct Desk(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    merchants: HashMap<String, IyzicoMerchant>,
    /// In the order of their initialize.
    payments: Vec<Payment>,
    randoms: HashSet<String>,
}

impl Desk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add_merchant(&self, merchant: IyzicoMerchant) {
        self.state().merchants.insert(merchant.api_key.clone(), merchant);
    }

    pub(crate) fn merchant(&self, api_key: &str) -> Option<IyzicoMerchant> {
        self.state().merchants.get(api_key).cloned()
    }

    /// Whether nobody has signed with this text before.
    pub(crate) fn is_new_random(&self, random: &str) -> bool {
        self.state().randoms.insert(random.to_owned())
    }

    /// Keeps a payment under the next number and answers that.
    pub(crate) fn add_payment(&self, mut payment: Payment) -> u64 {
        let mut state = self.state();
        let number = 22_483_975 + state.payments.len() as u64;
        payment.payment_id = number.to_string();
        state.payments.push(payment);
        number
    }

    pub(crate) fn payments(&self) -> Vec<Payment> {
        self.state().payments.clone()
    }

    pub(crate) fn payment(&self, token: &str) -> Option<Payment> {
        self.find(|payment| payment.token == token)
    }

    pub(crate) fn find(&self, wanted: impl Fn(&Payment) -> bool) -> Option<Payment> {
        self.state().payments.iter().find(|payment| wanted(payment)).cloned()
    }

    pub(crate) fn change<T>(
        &self,
        wanted: impl Fn(&Payment) -> bool,
        change: impl FnOnce(&mut Payment) -> T,
    ) -> Option<T> {
        self.state().payments.iter_mut().find(|payment| wanted(payment)).map(change)
    }
}
