//! Tests only: see `tests/activation`.
