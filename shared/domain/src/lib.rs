//! Pure rules and values: no I/O, no clock, no randomness. Time, ids and random bits are arguments, so that
//! every decision here can be property-tested.

pub mod academy;
pub mod activation_code;
pub mod certificate;
pub mod colour;
pub mod consent;
pub mod course;
pub mod exchange_rate;
pub mod identity;
pub mod ids;
pub mod mail;
pub mod money;
pub mod name_search;
pub mod order;
pub mod permission;
pub mod picture;
pub mod pricing;
pub mod quiz;
pub mod refund;
pub mod retention;
pub mod review;
pub mod storage;
pub mod tax_number;
pub mod text;
pub mod throttle;
pub mod time;
pub mod upload;
pub mod watch;
