//! What goes wrong on purpose in the databases of an application that runs.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use crate::bindings::spin::sqlite::sqlite::Value;

/// One thing that goes wrong until it is taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// No database can be opened; SQLite's message says why.
    Open(String),
    /// Every statement fails with this message of SQLite's.
    Statement(String),
    /// A statement that holds this in its text, or in a text among its parameters, ends its instance: a bug of the
    /// guest's would do the same.
    Trap(String),
    /// A statement that holds this takes so much longer.
    Delay(String, Duration),
}

/// The faults of an application. Clones are handles of the same ones.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<Vec<Fault>>>);

impl Faults {
    /// These faults and no others from now on.
    pub fn set(&self, faults: impl IntoIterator<Item = Fault>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = faults.into_iter().collect();
    }

    /// Nothing goes wrong any more.
    pub fn clear(&self) {
        self.set([]);
    }

    fn find<T>(&self, wanted: impl FnMut(&Fault) -> Option<T>) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().find_map(wanted)
    }

    /// Why no database can be opened.
    pub(crate) fn open(&self) -> Option<String> {
        self.find(|fault| if let Fault::Open(message) = fault { Some(message.clone()) } else { None })
    }

    /// Why no statement can be run.
    pub(crate) fn statement(&self) -> Option<String> {
        self.find(|fault| if let Fault::Statement(message) = fault { Some(message.clone()) } else { None })
    }

    pub(crate) fn delay(&self, sql: &str, parameters: &[Value]) -> Option<Duration> {
        self.find(|fault| match fault {
            Fault::Delay(marker, time) if holds(marker, sql, parameters) => Some(*time),
            _ => None,
        })
    }

    /// # Errors
    /// When this statement is to end its instance.
    pub(crate) fn trap(&self, sql: &str, parameters: &[Value]) -> wasmtime::Result<()> {
        let trapped = self.find(|fault| match fault {
            Fault::Trap(marker) if holds(marker, sql, parameters) => Some(marker.clone()),
            _ => None,
        });
        match trapped {
            Some(marker) => Err(wasmtime::Error::msg(format!("a trap for {marker:?}"))),
            None => Ok(()),
        }
    }
}

fn holds(marker: &str, sql: &str, parameters: &[Value]) -> bool {
    let is_in = |value: &Value| matches!(value, Value::Text(text) if text.contains(marker));
    sql.contains(marker) || parameters.iter().any(is_in)
}
