//! Tests only: see `tests/privacy`.
