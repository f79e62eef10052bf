//! An amount in parts that sum to it exactly.

use std::cmp::Reverse;

/// `amount` in parts proportional to `weights`, by largest remainders; equal weights if all are zero. Nothing of it is
/// negative. Where `amount` is no more than the sum of the weights, no part exceeds its weight: only a part that was
/// rounded down gets one more.
pub(crate) fn spread(amount: i64, weights: &[i64]) -> Vec<i64> {
    let is_weightless = weights.iter().all(|weight| *weight == 0);
    let weights: Vec<i128> =
        weights.iter().map(|weight| if is_weightless { 1 } else { i128::from(*weight) }).collect();
    let sum = weights.iter().sum::<i128>().max(1);
    let exact = |weight: &i128| weight * i128::from(amount);
    let mut parts: Vec<i64> =
        weights.iter().map(|weight| i64::try_from(exact(weight) / sum).unwrap_or(0)).collect();
    let missing = amount - parts.iter().sum::<i64>();
    let mut order: Vec<(i128, &mut i64)> =
        weights.iter().map(|weight| exact(weight) % sum).zip(&mut parts).collect();
    // A stable sort: the first wins a tie.
    order.sort_by_key(|(remainder, _)| Reverse(*remainder));
    for (_, part) in order.into_iter().take(usize::try_from(missing).unwrap_or(0)) {
        *part += 1;
    }
    parts
}
