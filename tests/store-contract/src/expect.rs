//! How a case says what it saw. A panic would take a whole Wasm instance along, so a case returns instead.

use akademi_edge_store::{Constraint, StoreError};
use std::fmt::{self, Debug};

/// What an engine did otherwise, for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure(pub String);

pub type Outcome = Result<(), Failure>;

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self(format!("unexpected error: {error:?}"))
    }
}

/// That `found` is what it should be.
pub fn equal<T: Debug + PartialEq<U>, U: Debug>(what: impl fmt::Display, found: T, expected: U) -> Outcome {
    if found == expected {
        Ok(())
    } else {
        Err(Failure(format!("{what}: found {}, expected {}", shown(&found), shown(&expected))))
    }
}

/// A hundred kilobytes of a value tell nobody anything.
fn shown(value: &impl Debug) -> String {
    let mut text = format!("{value:?}");
    if let Some((end, _)) = text.char_indices().nth(400) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// The error that this should be.
pub fn error<T: Debug>(
    what: impl fmt::Display,
    result: Result<T, StoreError>,
) -> Result<StoreError, Failure> {
    match result {
        Ok(value) => Err(Failure(format!("{what}: found {}, expected an error", shown(&value)))),
        Err(error) => Ok(error),
    }
}

/// That this is an error of the engine's own, or of what it gave.
pub fn engine_error<T: Debug>(what: impl fmt::Display, result: Result<T, StoreError>) -> Outcome {
    match error(&what, result)? {
        StoreError::Engine(_) => Ok(()),
        other => Err(Failure(format!("{what}: found {other:?}, expected an error of the engine"))),
    }
}

/// That a rule of the schema refused this, and which.
pub fn refused<T: Debug>(
    what: impl fmt::Display,
    result: Result<T, StoreError>,
    constraint: Constraint,
    on: &str,
) -> Outcome {
    let expected = StoreError::Refused { constraint, on: on.to_owned() };
    equal(&what, error(&what, result)?, expected)
}
