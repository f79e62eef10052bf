//! Lists: `limit` (1 to 100, default 20) and an opaque `cursor`; answers `{"data": […], "next_cursor": …}`.

use akademi_domain::time::Timestamp;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize};
use std::{fmt::Display, str::FromStr};

use crate::problem::Problem;

/// The query parameters of a list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageParams {
    /// How many entries to answer at most: 1 to 100.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    pub limit: Limit,
    /// Where the page before ended: its `next_cursor`.
    #[serde(default)]
    pub cursor: Option<String>,
}

/// How many entries a page has at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(u32);

impl Default for Limit {
    fn default() -> Self {
        Self(20)
    }
}

impl Limit {
    pub const fn get(self) -> i64 {
        self.0 as i64
    }

    /// One entry more than a page holds: it tells whether there is a next page ([`Page::of`]).
    pub const fn and_one(self) -> i64 {
        self.0 as i64 + 1
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Text, since that is what a query holds: behind `deny_unknown_fields` serde asks for the value as it is.
        let text = String::deserialize(deserializer)?;
        match text.parse() {
            Ok(limit @ 1..=100) => Ok(Self(limit)),
            _ => Err(serde::de::Error::custom("must be a whole number from 1 to 100")),
        }
    }
}

/// One page of a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    pub data: Vec<T>,
    /// What to send as `cursor` for the next page; `null` at the end.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// The page of `found`, which was asked for with [`Limit::and_one`]; `position` is what an entry is sorted by.
    pub fn of(mut found: Vec<T>, limit: Limit, position: impl FnOnce(&T) -> Cursor) -> Self {
        let entries = limit.0 as usize;
        let has_more = found.len() > entries;
        found.truncate(entries);
        let next_cursor = found.last().filter(|_| has_more).map(|last| position(last).encode());
        Self { data: found, next_cursor }
    }

    pub fn map<U>(self, each: impl FnMut(T) -> U) -> Page<U> {
        Page { data: self.data.into_iter().map(each).collect(), next_cursor: self.next_cursor }
    }

    /// # Errors
    /// The first entry's that fails.
    pub fn try_map<U, E>(self, each: impl FnMut(T) -> Result<U, E>) -> Result<Page<U>, E> {
        let data = self.data.into_iter().map(each).collect::<Result<_, _>>()?;
        Ok(Page { data, next_cursor: self.next_cursor })
    }
}

const INVALID: &str = "is not a cursor of this list";

/// The position after which a page begins: a sort key and an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    pub key: i64,
    pub id: String,
}

impl Cursor {
    /// Of an entry of a list that is sorted by a moment and an id.
    pub fn at(moment: Timestamp, id: impl Display) -> Self {
        Self { key: moment.as_millis(), id: id.to_string() }
    }

    /// The moment and the id of [`Cursor::at`].
    ///
    /// # Errors
    /// 422 for a cursor that no page ended with.
    pub fn decode_at<Id: FromStr>(text: &str) -> Result<(Timestamp, Id), Problem> {
        let Self { key, id } = Self::decode(text)?;
        let id = id.parse().map_err(|_| Problem::field("cursor", INVALID))?;
        Ok((Timestamp::from_millis(key), id))
    }

    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{}:{}", self.key, self.id))
    }

    /// # Errors
    /// 422 for a cursor that no page ended with.
    pub fn decode(text: &str) -> Result<Self, Problem> {
        let invalid = || Problem::field("cursor", INVALID);
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| invalid())?;
        let position = String::from_utf8(bytes).map_err(|_| invalid())?;
        let (key, id) = position.split_once(':').ok_or_else(invalid)?;
        let cursor = Self { key: key.parse().map_err(|_| invalid())?, id: id.to_owned() };
        // One position has one spelling: answers are kept by it.
        if id.len() > 64 || cursor.encode() != text {
            return Err(invalid());
        }
        Ok(cursor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_was() {
        let cursor = Cursor { key: -5, id: "a:b".into() };
        assert_eq!(Cursor::decode(&cursor.encode()).unwrap(), cursor);
        let at = Timestamp::from_millis(7);
        assert_eq!(Cursor::decode_at(&Cursor::at(at, 12).encode()).unwrap(), (at, 12));
        assert!(Cursor::decode_at::<u8>(&Cursor::at(at, "x").encode()).is_err(), "of another list");
        let padded = URL_SAFE_NO_PAD.encode(format!("+{}5:a", "0".repeat(1000)));
        for bad in ["", "!", "YWJj", "Ojo", &padded] {
            assert!(Cursor::decode(bad).is_err(), "{bad}");
        }
    }
}
