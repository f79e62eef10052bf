//! What each function of the Lambda plane does with the events of its binary.

#[cfg(feature = "audit")]
pub mod audit;
#[cfg(feature = "authoring")]
pub mod authoring;
#[cfg(feature = "certificates")]
pub mod certificates;
#[cfg(feature = "etl")]
pub mod etl;
#[cfg(feature = "identity")]
pub mod identity;
#[cfg(feature = "images")]
pub mod images;
#[cfg(feature = "invoices")]
pub mod invoices;
#[cfg(any(feature = "authoring", feature = "transcode"))]
mod jobs;
#[cfg(feature = "mail")]
pub mod mail;
#[cfg(feature = "payments")]
pub mod payments;
#[cfg(feature = "sync")]
pub mod sync;
#[cfg(feature = "transcode")]
pub mod transcode;
