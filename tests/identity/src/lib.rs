//! Tests only: see `tests/identity`.
