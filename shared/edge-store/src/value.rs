//! Values and rows as all engines have them: integers, text, bytes, NULL. No reals: nothing here is measured in
//! fractions, and D1 cannot tell `1.0` from `1`.

use crate::database::StoreError;

/// The largest integer that every engine keeps exactly: D1 goes through IEEE doubles.
pub const MAX_INTEGER: i64 = (1 << 53) - 1;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Null,
    Integer(i64),
    Text(String),
    Blob(Vec<u8>),
}

impl Value {
    /// An integer as an engine gave it; an error if another could not.
    pub(crate) fn received(value: i64) -> Result<Self, StoreError> {
        if (-MAX_INTEGER..=MAX_INTEGER).contains(&value) {
            Ok(Self::Integer(value))
        } else {
            Err(StoreError::Engine("a statement gave an integer beyond 2^53".into()))
        }
    }
}

macro_rules! from {
    ($($type:ty, $name:ident => $value:expr;)+) => {$(
        impl From<$type> for Value {
            fn from($name: $type) -> Self {
                $value
            }
        }
    )+};
}

from! {
    i64, value => Self::Integer(value);
    i32, value => Self::Integer(value.into());
    u32, value => Self::Integer(value.into());
    bool, value => Self::Integer(value.into());
    &str, value => Self::Text(value.to_owned());
    String, value => Self::Text(value);
    &[u8], value => Self::Blob(value.to_vec());
    Vec<u8>, value => Self::Blob(value);
    akademi_domain::time::Timestamp, value => Self::Integer(value.as_millis());
    akademi_domain::ids::TenantId, id => Self::Text(id.to_string());
    akademi_domain::ids::UserId, id => Self::Text(id.to_string());
    akademi_domain::ids::SessionId, id => Self::Text(id.to_string());
    akademi_domain::ids::AssetId, id => Self::Text(id.to_string());
    akademi_domain::ids::CourseId, id => Self::Text(id.to_string());
    akademi_domain::ids::LessonId, id => Self::Text(id.to_string());
    akademi_domain::ids::EnrolmentId, id => Self::Text(id.to_string());
    akademi_domain::ids::LinkId, id => Self::Text(id.to_string());
    akademi_domain::ids::RoleId, id => Self::Text(id.to_string());
    akademi_domain::ids::ActivationBatchId, id => Self::Text(id.to_string());
    akademi_domain::ids::IdentityId, id => Self::Text(id.to_string());
    akademi_domain::ids::PasskeyId, id => Self::Text(id.to_string());
    akademi_domain::ids::AddressId, id => Self::Text(id.to_string());
    akademi_domain::ids::ReviewId, id => Self::Text(id.to_string());
    akademi_domain::certificate::CertificateSerial, serial => Self::Text(serial.to_string());
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

pub type Rows = Vec<Row>;

/// One row, its columns in the order of the statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row(pub Vec<Value>);

impl Row {
    fn value(&self, column: usize) -> Result<&Value, StoreError> {
        self.0.get(column).ok_or_else(|| StoreError::Engine(format!("column {column} is missing")))
    }

    fn mismatch(column: usize, wanted: &str) -> StoreError {
        StoreError::Engine(format!("column {column} is not {wanted}"))
    }

    pub fn integer(&self, column: usize) -> Result<i64, StoreError> {
        match self.value(column)? {
            Value::Integer(value) => Ok(*value),
            _ => Err(Self::mismatch(column, "an integer")),
        }
    }

    pub fn optional_integer(&self, column: usize) -> Result<Option<i64>, StoreError> {
        match self.value(column)? {
            Value::Null => Ok(None),
            _ => self.integer(column).map(Some),
        }
    }

    pub fn timestamp(&self, column: usize) -> Result<akademi_domain::time::Timestamp, StoreError> {
        self.integer(column).map(akademi_domain::time::Timestamp::from_millis)
    }

    pub fn optional_timestamp(
        &self,
        column: usize,
    ) -> Result<Option<akademi_domain::time::Timestamp>, StoreError> {
        let millis = self.optional_integer(column)?;
        Ok(millis.map(akademi_domain::time::Timestamp::from_millis))
    }

    pub fn boolean(&self, column: usize) -> Result<bool, StoreError> {
        self.integer(column).map(|value| value != 0)
    }

    pub fn text(&self, column: usize) -> Result<&str, StoreError> {
        match self.value(column)? {
            Value::Text(value) => Ok(value),
            _ => Err(Self::mismatch(column, "text")),
        }
    }

    pub fn optional_text(&self, column: usize) -> Result<Option<&str>, StoreError> {
        match self.value(column)? {
            Value::Null => Ok(None),
            _ => self.text(column).map(Some),
        }
    }

    pub fn blob(&self, column: usize) -> Result<&[u8], StoreError> {
        match self.value(column)? {
            Value::Blob(value) => Ok(value),
            _ => Err(Self::mismatch(column, "bytes")),
        }
    }

    pub fn optional_blob(&self, column: usize) -> Result<Option<&[u8]>, StoreError> {
        match self.value(column)? {
            Value::Null => Ok(None),
            _ => self.blob(column).map(Some),
        }
    }

    /// A column whose text is an id or another value that parses.
    pub fn parse<T: std::str::FromStr>(&self, column: usize) -> Result<T, StoreError> {
        self.text(column)?.parse().map_err(|_| Self::mismatch(column, std::any::type_name::<T>()))
    }
}

/// Refuses names that an object in JavaScript has only once, or in another order.
pub(crate) fn check_names<T: AsRef<str>>(names: &[T]) -> Result<(), StoreError> {
    let mut rest = names.iter().map(AsRef::as_ref);
    while let Some(name) = rest.next() {
        if name.parse::<u32>().is_ok() || rest.clone().any(|other| other == name) {
            return Err(StoreError::Engine(format!("a batch cannot give a column named {name}")));
        }
    }
    Ok(())
}
