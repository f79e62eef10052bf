//! The port on Cloudflare D1. Its `batch` is atomic; integers travel as IEEE doubles, bytes come back as lists
//! of numbers, rows of a query as lists, rows of a batch as objects in the order of their columns.

use futures::future::BoxFuture;
use serde::{
    Deserialize, Deserializer,
    de::{self, Error as _, MapAccess, SeqAccess, Visitor},
};
use std::fmt;
use worker::{D1Database, D1PreparedStatement, D1Result, js_sys::Uint8Array, wasm_bindgen::JsValue};

use crate::{
    alone::Alone,
    database::{Database, Statement, StoreError, check, check_query},
    sql::with_integers,
    value::{MAX_INTEGER, Row, Rows, Value, check_names},
};

/// A D1 binding.
pub struct D1(pub D1Database);

impl D1 {
    fn prepare(&self, statement: &Statement) -> Result<D1PreparedStatement, StoreError> {
        check(statement)?;
        let params: Vec<JsValue> = statement
            .params
            .iter()
            .map(|value| match value {
                Value::Null => JsValue::NULL,
                // Within ±(2^53−1), so exact as a double; an integer again by its cast in the text.
                Value::Integer(value) => JsValue::from_f64(*value as f64),
                Value::Text(value) => JsValue::from_str(value),
                Value::Blob(value) => Uint8Array::from(value.as_slice()).into(),
            })
            .collect();
        self.0.prepare(with_integers(statement.sql, &statement.params)?).bind(&params).map_err(store_error)
    }
}

impl Database for D1 {
    fn query(&self, statement: Statement) -> BoxFuture<'_, Result<Rows, StoreError>> {
        Box::pin(Alone::new(async move {
            check_query(&statement)?;
            let rows = self.prepare(&statement)?.raw().await.map_err(store_error)?;
            Ok(rows
                .into_iter()
                .map(|cells| Row(cells.into_iter().map(|Cell(value)| value).collect()))
                .collect())
        }))
    }

    fn batch(&self, statements: Vec<Statement>) -> BoxFuture<'_, Result<Vec<Rows>, StoreError>> {
        Box::pin(Alone::new(async move {
            // D1 takes no empty one.
            if statements.is_empty() {
                return Ok(Vec::new());
            }
            let prepared =
                statements.iter().map(|statement| self.prepare(statement)).collect::<Result<Vec<_>, _>>()?;
            let results = self.0.batch(prepared).await.map_err(store_error)?;
            results.iter().map(rows).collect()
        }))
    }
}

fn rows(result: &D1Result) -> Result<Rows, StoreError> {
    let rows: Vec<ObjectRow> = result.results().map_err(store_error)?;
    Ok(rows.into_iter().map(|ObjectRow(values)| Row(values)).collect())
}

/// A row as D1 gives it: an object whose entries stand in the order of the columns.
struct ObjectRow(Vec<Value>);

impl<'de> Deserialize<'de> for ObjectRow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Columns;
        impl<'de> Visitor<'de> for Columns {
            type Value = Vec<Value>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a row")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Vec<Value>, A::Error> {
                let mut values = Vec::new();
                while let Some((name, Cell(value))) = entries.next_entry::<String, Cell>()? {
                    check_names(&[name]).map_err(A::Error::custom)?;
                    values.push(value);
                }
                Ok(values)
            }
        }
        deserializer.deserialize_map(Columns).map(Self)
    }
}

struct Cell(Value);

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyValue;
        impl<'de> Visitor<'de> for AnyValue {
            type Value = Value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an integer, text, bytes or null")
            }

            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
                Value::received(value).map_err(E::custom)
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
                let is_exact = value.fract() == 0.0 && value.abs() <= MAX_INTEGER as f64;
                if is_exact { Ok(Value::Integer(value as i64)) } else { Err(E::custom("a real number")) }
            }

            fn visit_str<E>(self, value: &str) -> Result<Value, E> {
                Ok(Value::Text(value.to_owned()))
            }

            fn visit_string<E>(self, value: String) -> Result<Value, E> {
                Ok(Value::Text(value))
            }

            fn visit_byte_buf<E>(self, value: Vec<u8>) -> Result<Value, E> {
                Ok(Value::Blob(value))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut bytes: A) -> Result<Value, A::Error> {
                let mut blob = Vec::new();
                while let Some(byte) = bytes.next_element()? {
                    blob.push(byte);
                }
                Ok(Value::Blob(blob))
            }
        }
        deserializer.deserialize_any(AnyValue).map(Self)
    }
}

fn store_error(error: worker::Error) -> StoreError {
    match error {
        worker::Error::D1(error) => StoreError::from_message(&error.cause()),
        other => StoreError::from_message(&other.to_string()),
    }
}
