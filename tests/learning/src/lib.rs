//! Tests only: see `tests/learning`.
