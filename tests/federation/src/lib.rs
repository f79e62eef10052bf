//! Tests only: see `tests/federation`.
