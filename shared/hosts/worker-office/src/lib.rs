//! The Worker `akademi-office`. Cargo keeps only one module of a crate: each Worker after the first has a crate of its
//! own, or building one would throw away the other.
#![cfg(all(target_arch = "wasm32", target_os = "unknown"))]

use akademi_worker as _;
