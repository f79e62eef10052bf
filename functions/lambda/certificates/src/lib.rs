//! Certificates of completion.
//!
//! [`render`] makes the page: [`render::Renderer`] is built once per process, keeps fonts and template, and turns a
//! [`render::Certificate`] into the bytes of a PDF/A-2b of one A4 page, the same bytes for the same certificate.
//! Nothing of it is stored: a certificate is rendered when somebody asks for it.
//!
//! `cargo run --release -p akademi-certificates --example bench_render` measures certificates per CPU-second.

pub mod render;
