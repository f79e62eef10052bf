//! The sandbox's state: merchants, payments, behaviour, and the tasks that work after an answer is given.

use std::{
    collections::HashMap,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::task::JoinSet;

use crate::{
    Config, Merchant,
    behaviour::{Behaviour, Endpoint, FaultKind},
    callbacks::{Millis, Notice},
    client::CallbackClient,
    iyzico::Desk,
    paytr::{Failure, Outcome, Payment},
};

#[derive(Clone)]
pub(crate) struct Sandbox {
    state: Arc<Mutex<State>>,
    tasks: Arc<Mutex<JoinSet<()>>>,
    pub(crate) client: CallbackClient,
    pub(crate) iyzico: Desk,
}

struct State {
    merchants: HashMap<String, Merchant>,
    behaviour: Behaviour,
    /// In the order of their get-token.
    payments: Vec<Payment>,
    /// Whose callbacks wait to be reordered.
    held: Vec<Notice>,
}

/// What a decision on the payment page has led to.
pub(crate) enum Decision {
    /// This request decided it, under this behaviour.
    Decided(Box<Behaviour>),
    /// It was decided before.
    Already,
}

impl Sandbox {
    pub(crate) fn new(config: Config) -> Self {
        let merchants =
            config.merchants.into_iter().map(|merchant| (merchant.merchant_id.clone(), merchant)).collect();
        let state = State { merchants, behaviour: config.behaviour, payments: Vec::new(), held: Vec::new() };
        let iyzico = Desk::default();
        config.iyzico_merchants.into_iter().for_each(|merchant| iyzico.add_merchant(merchant));
        Self {
            state: Arc::new(Mutex::new(state)),
            tasks: Arc::new(Mutex::new(JoinSet::new())),
            client: CallbackClient::new(),
            iyzico,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs beside the requests until it ends or the sandbox stops.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }

    pub(crate) fn stop(&self) {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }

    pub(crate) fn merchant(&self, merchant_id: &str) -> Option<Merchant> {
        self.state().merchants.get(merchant_id).cloned()
    }

    pub(crate) fn add_merchant(&self, merchant: Merchant) {
        self.state().merchants.insert(merchant.merchant_id.clone(), merchant);
    }

    pub(crate) fn behaviour(&self) -> Behaviour {
        self.state().behaviour.clone()
    }

    /// What the providers' clock shows.
    pub(crate) fn now(&self) -> Millis {
        self.state().behaviour.clock_ms.unwrap_or_else(now)
    }

    /// Answers the payments whose callbacks were held, the last decided first.
    pub(crate) fn set_behaviour(&self, behaviour: Behaviour) -> Vec<Notice> {
        let mut state = self.state();
        state.behaviour = behaviour;
        state.held.drain(..).rev().collect()
    }

    /// Holds a payment's callbacks; answers those to send now, which are none until `reorder` are held.
    pub(crate) fn hold(&self, notice: Notice, reorder: u32) -> Vec<Notice> {
        let mut state = self.state();
        state.held.push(notice);
        let full = u32::try_from(state.held.len()).is_ok_and(|held| held >= reorder);
        if full { state.held.drain(..).rev().collect() } else { Vec::new() }
    }

    /// The next fault for this endpoint, with the milliseconds that a hanging answer takes.
    pub(crate) fn take_fault(&self, endpoint: Endpoint) -> Option<(FaultKind, u64)> {
        let mut state = self.state();
        let hang_ms = state.behaviour.hang_ms;
        let faults = &mut state.behaviour.faults;
        let fault = faults.iter_mut().find(|fault| fault.endpoint == endpoint && fault.times > 0)?;
        fault.times -= 1;
        Some((fault.kind, hang_ms))
    }

    pub(crate) fn payments(&self) -> Vec<Payment> {
        self.state().payments.clone()
    }

    /// Whether the payment is new: a merchant's `merchant_oid` is good for one attempt.
    pub(crate) fn add_payment(&self, payment: Payment) -> bool {
        let mut state = self.state();
        let known = state.payments.iter().any(|other| {
            other.merchant_id == payment.merchant_id && other.merchant_oid == payment.merchant_oid
        });
        if !known {
            state.payments.push(payment);
        }
        !known
    }

    pub(crate) fn payment(&self, token: &str) -> Option<Payment> {
        self.state().payments.iter().find(|payment| payment.token == token).cloned()
    }

    pub(crate) fn change_payment<T>(&self, token: &str, change: impl FnOnce(&mut Payment) -> T) -> Option<T> {
        self.state().payments.iter_mut().find(|payment| payment.token == token).map(change)
    }

    pub(crate) fn change_payment_of<T>(
        &self,
        merchant_id: &str,
        merchant_oid: &str,
        change: impl FnOnce(&mut Payment) -> T,
    ) -> Option<T> {
        let mut state = self.state();
        let mut payments = state.payments.iter_mut();
        payments
            .find(|payment| payment.merchant_id == merchant_id && payment.merchant_oid == merchant_oid)
            .map(change)
    }

    /// Decides a payment unless it is decided. `None` if there is no such payment.
    pub(crate) fn decide(&self, token: &str, installments: u8, failure: Option<Failure>) -> Option<Decision> {
        let behaviour = self.behaviour();
        self.change_payment(token, |payment| {
            if payment.outcome.is_some() {
                return Decision::Already;
            }
            let total_amount = if failure.is_some() { 0 } else { payment.total_with_interest(installments) };
            let at = behaviour.clock_ms.unwrap_or_else(now);
            payment.outcome = Some(Outcome { at, total_amount, installments, failure });
            Decision::Decided(Box::new(behaviour))
        })
    }
}

#[expect(clippy::disallowed_methods, reason = "the sandbox stands for a machine of its own, with a clock")]
pub(crate) fn now() -> Millis {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .ok()
        .and_then(|elapsed| elapsed.as_millis().try_into().ok())
        .unwrap_or(0)
}
