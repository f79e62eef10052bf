//! Payments: what a payment provider is to us ([`provider`]), and PayTR as one ([`paytr`]).

pub mod paytr;
pub mod provider;
