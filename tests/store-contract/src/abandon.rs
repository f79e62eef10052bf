//! Giving up on a future that is under way.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

/// Drops `future` when it is pending for the `polls`th time after the first; its output if it ends before. Between
/// two polls the host goes on with other work.
pub async fn abandon_after<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            context.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await
}
