//! What a host that is a process of its own gives to functions: a port to answer on, a clock, randomness, a log,
//! and secrets that it keeps. It names no function, so whoever links it links none.

pub mod ports;
pub mod secrets;
pub mod server;
