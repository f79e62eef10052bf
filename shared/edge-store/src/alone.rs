//! Futures of single-threaded hosts, where axum asks for `Send`.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

/// A future that lives on the one thread there is.
pub struct Alone<F>(F);

impl<F> Alone<F> {
    pub const fn new(future: F) -> Self {
        Self(future)
    }
}

// SAFETY: this module is built for Wasm without threads only, where nothing can be sent anywhere.
unsafe impl<F> Send for Alone<F> {}

impl<F: Future> Future for Alone<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        // SAFETY: the field is never moved out of its pinned owner.
        unsafe { self.map_unchecked_mut(|alone| &mut alone.0) }.poll(context)
    }
}
