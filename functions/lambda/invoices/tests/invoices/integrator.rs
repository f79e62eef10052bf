//! An integrator that keeps what it is given, and can be told to refuse or never to answer.

use akademi_domain::tax_number::Vkn;
use akademi_invoices::{Document, Integrator, NotTaken};
use akademi_lambda_store::jobs::Failure;
use futures::future::BoxFuture;
use std::{
    collections::VecDeque,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::sync::Notify;

/// What becomes of the next documents.
#[derive(Clone, Copy)]
pub enum Mood {
    Busy,
    Refuses,
    /// Takes the document over, and its answer never comes.
    Hangs,
}

#[derive(Default)]
pub struct TestIntegrator {
    pub taken: Mutex<Vec<Document>>,
    pub moods: Mutex<VecDeque<Mood>>,
    pub registered: Mutex<Vec<String>>,
    /// Whether it is slow to say who is registered.
    pub thinks: AtomicBool,
    pub asked: Notify,
    pub answers: Notify,
}

impl TestIntegrator {
    /// The numbers of what was taken over, in order.
    pub fn numbers(&self) -> Vec<String> {
        self.taken.lock().unwrap().iter().map(|document| document.number.to_string()).collect()
    }

    pub fn last(&self) -> Document {
        self.taken.lock().unwrap().last().unwrap().clone()
    }

    async fn take(&self, document: &Document) -> Result<(), NotTaken> {
        let mood = self.moods.lock().unwrap().pop_front();
        let refused = |failure, reason: &str| Err(NotTaken { failure, reason: reason.into() });
        match mood {
            Some(Mood::Busy) => return refused(Failure::Passing, "the integrator is busy"),
            Some(Mood::Refuses) => return refused(Failure::Lasting, "the integrator refused it: 1150"),
            _ => {}
        }
        self.taken.lock().unwrap().push(document.clone());
        if let Some(Mood::Hangs) = mood {
            std::future::pending::<()>().await;
        }
        // Others go on meanwhile.
        tokio::task::yield_now().await;
        Ok(())
    }
}

impl Integrator for TestIntegrator {
    fn is_registered(&self, company: Vkn) -> BoxFuture<'_, Result<bool, NotTaken>> {
        Box::pin(async move {
            if self.thinks.swap(false, Ordering::SeqCst) {
                self.asked.notify_one();
                self.answers.notified().await;
            }
            Ok(self.registered.lock().unwrap().contains(&company.to_string()))
        })
    }

    fn hand_over<'a>(&'a self, document: &'a Document) -> BoxFuture<'a, Result<(), NotTaken>> {
        Box::pin(self.take(document))
    }
}
