//! Certificates of completion: issued, listed, printed and revoked.
//!
//! [`issue`] gives a completed enrolment its certificate, in the transaction that hears of the completion. What it says is
//! settled then: the course's title and the holder's name as they are, the name sealed with the person's key, so that
//! erasing the person takes it away. Issuing and revoking tell the edge in the same transaction.
//!
//! [`render`] makes the page: [`render::Renderer`] is built once per process, keeps fonts and template, and turns a
//! [`render::Certificate`] into the bytes of a PDF/A-2b of one A4 page, the same bytes for the same certificate.
//! Nothing of it is stored: a certificate is rendered when somebody asks for it.
//!
//! Pages and routes are behind the feature `routes`; without it nothing of the typesetter is linked.
//!
//! `cargo run --release -p akademi-certificates --example bench_render` measures certificates per CPU-second.

mod error;
mod holder;
mod issuing;
#[cfg(feature = "routes")]
pub mod render;
#[cfg(feature = "routes")]
mod routes;

pub use error::CertificatesError;
pub use issuing::{Completion, issue};
#[cfg(feature = "routes")]
pub use routes::{ApiDoc, Certificates, router};
