//! Which of an order's lines a refund gives back, to the last minor unit, with the VAT that goes back with each.

use crate::pricing::{BasisPoints, spread, vat_inside};

/// A paid line as refunds see it. Amounts are minor units, VAT inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefundableLine {
    /// What was paid for it.
    pub total: i64,
    /// What has gone back of that, or is on its way; at most `total`.
    pub refunded: i64,
    pub vat_rate: BasisPoints,
    /// Whether the course was taken back, or is about to be.
    pub is_withdrawn: bool,
}

/// What is to go back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// All that is left.
    Rest,
    /// What is left of these lines, by their places from 0.
    Lines(Vec<usize>),
    /// This much, over all lines in proportion to what is left of them.
    Amount(i64),
}

/// What a refund gives back of one line: as it is asked for, in the hope that those before it go through, and again as it
/// is booked, after those that did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefundPart {
    /// The line's place, from 0.
    pub line: usize,
    pub amount: i64,
    /// The VAT inside `amount`: a line's parts hold together exactly the VAT of the line.
    pub vat: i64,
    /// Nothing of the line is left, so that the course is taken back.
    pub withdraws: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefundError {
    #[error("nothing is left to give back")]
    NothingLeft,
    #[error("is not more than 0")]
    NotPositive,
    #[error("is more than the {0} minor units that are left")]
    MoreThanLeft(i64),
    #[error("names a line that the order does not have, or one twice")]
    UnknownLine,
}

impl RefundableLine {
    const fn left(&self) -> i64 {
        self.total - self.refunded
    }
}

/// The parts of a refund, in the lines' order. A line of nothing is taken back with the rest, or by its name.
///
/// # Errors
/// [`RefundError`]; then nothing goes back.
pub fn allocate(lines: &[RefundableLine], wanted: &Wanted) -> Result<Vec<RefundPart>, RefundError> {
    let left: i64 = lines.iter().map(RefundableLine::left).sum();
    let amounts: Vec<Option<i64>> = match wanted {
        Wanted::Rest => lines.iter().map(|line| Some(line.left())).collect(),
        Wanted::Lines(places) => {
            let is_twice = |(index, place): (usize, &usize)| places.iter().take(index).any(|p| p == place);
            if places.iter().any(|place| *place >= lines.len()) || places.iter().enumerate().any(is_twice) {
                return Err(RefundError::UnknownLine);
            }
            let chosen =
                |(place, line): (usize, &RefundableLine)| places.contains(&place).then(|| line.left());
            lines.iter().enumerate().map(chosen).collect()
        }
        Wanted::Amount(..=0) => return Err(RefundError::NotPositive),
        Wanted::Amount(amount) if *amount > left => return Err(RefundError::MoreThanLeft(left)),
        Wanted::Amount(amount) => {
            let rests: Vec<i64> = lines.iter().map(RefundableLine::left).collect();
            spread(*amount, &rests).into_iter().map(|part| (part > 0).then_some(part)).collect()
        }
    };
    let parts: Vec<RefundPart> = (0..)
        .zip(lines.iter().zip(amounts))
        .filter_map(|(place, (line, amount))| line.part(place, amount?))
        .collect();
    if parts.iter().map(|part| part.amount).sum::<i64>() == 0 {
        return Err(RefundError::NothingLeft);
    }
    Ok(parts)
}

impl RefundableLine {
    /// The part that gives back `amount`, at most what is left, of the line at this place. `None` for nothing of a line that
    /// is gone already.
    pub fn part(&self, line: usize, amount: i64) -> Option<RefundPart> {
        let after = self.refunded + amount;
        let withdraws = after == self.total && !self.is_withdrawn;
        let vat = vat_inside(after, self.vat_rate) - vat_inside(self.refunded, self.vat_rate);
        (amount > 0 || withdraws).then_some(RefundPart { line, amount, vat, withdraws })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(total: i64, refunded: i64) -> RefundableLine {
        let vat_rate = BasisPoints::new(2000).unwrap();
        RefundableLine { total, refunded, vat_rate, is_withdrawn: refunded == total && total > 0 }
    }

    #[test]
    fn a_whole_line_is_taken_back_and_a_part_of_it_is_not() {
        let lines = [line(12_000, 0), line(6_000, 0)];
        let whole = allocate(&lines, &Wanted::Lines(vec![1])).unwrap();
        assert_eq!(whole, [RefundPart { line: 1, amount: 6_000, vat: 1_000, withdraws: true }]);
        let part = allocate(&lines, &Wanted::Amount(3_000)).unwrap();
        assert_eq!(
            part,
            [
                RefundPart { line: 0, amount: 2_000, vat: 333, withdraws: false },
                RefundPart { line: 1, amount: 1_000, vat: 167, withdraws: false },
            ]
        );
    }

    #[test]
    fn a_line_that_cost_nothing_goes_with_the_rest() {
        let parts = allocate(&[line(100, 100), line(0, 0), line(50, 20)], &Wanted::Rest).unwrap();
        let seen: Vec<_> = parts.iter().map(|part| (part.line, part.amount, part.withdraws)).collect();
        assert_eq!(seen, [(1, 0, true), (2, 30, true)]);
    }

    #[test]
    fn what_cannot_go_back_is_told() {
        let lines = [line(100, 40), line(0, 0)];
        let refused = |wanted| allocate(&lines, &wanted).unwrap_err();
        assert_eq!(refused(Wanted::Amount(61)), RefundError::MoreThanLeft(60));
        assert_eq!(refused(Wanted::Amount(0)), RefundError::NotPositive);
        assert_eq!(refused(Wanted::Amount(-1)), RefundError::NotPositive);
        assert_eq!(refused(Wanted::Amount(i64::MAX)), RefundError::MoreThanLeft(60));
        assert_eq!(refused(Wanted::Lines(vec![2])), RefundError::UnknownLine);
        assert_eq!(refused(Wanted::Lines(vec![0, 0])), RefundError::UnknownLine);
        assert_eq!(refused(Wanted::Lines(vec![])), RefundError::NothingLeft);
        assert_eq!(refused(Wanted::Lines(vec![1])), RefundError::NothingLeft);
        assert_eq!(allocate(&[line(5, 5)], &Wanted::Rest), Err(RefundError::NothingLeft));
    }

    fn lines() -> impl Strategy<Value = Vec<RefundableLine>> {
        let line = (0..1_000_000_i64, 0..=10_000_u16).prop_map(|(total, rate)| RefundableLine {
            total,
            refunded: 0,
            vat_rate: BasisPoints::new(rate).unwrap(),
            is_withdrawn: false,
        });
        prop::collection::vec(line, 1..6)
    }

    proptest! {
        /// However a payment goes back, the parts are the payment and their VAT is its VAT.
        #[test]
        fn the_parts_of_all_refunds_are_the_payment(
            mut lines in lines(), steps in prop::collection::vec((0..3_u8, 1..1_000_000_i64), 0..8)
        ) {
            let paid: i64 = lines.iter().map(|line| line.total).sum();
            let vat: i64 = lines.iter().map(|line| vat_inside(line.total, line.vat_rate)).sum();
            let (mut back, mut vat_back, mut withdrawn) = (0, 0, vec![0; lines.len()]);
            let wishes = steps.iter().map(|(kind, n)| match kind {
                0 => Wanted::Lines(vec![usize::try_from(*n).unwrap() % lines.len()]),
                _ => Wanted::Amount(*n),
            });
            for wanted in wishes.collect::<Vec<_>>().into_iter().chain([Wanted::Rest]) {
                let Ok(parts) = allocate(&lines, &wanted) else { continue };
                if let Wanted::Amount(amount) = wanted {
                    prop_assert_eq!(parts.iter().map(|part| part.amount).sum::<i64>(), amount);
                }
                for part in parts {
                    let line = &mut lines[part.line];
                    prop_assert!(part.amount >= 0 && part.vat >= 0 && part.vat <= part.amount);
                    line.refunded += part.amount;
                    line.is_withdrawn |= part.withdraws;
                    prop_assert!(line.refunded <= line.total);
                    prop_assert_eq!(line.is_withdrawn, line.refunded == line.total || line.is_withdrawn);
                    withdrawn[part.line] += i32::from(part.withdraws);
                    back += part.amount;
                    vat_back += part.vat;
                }
            }
            prop_assert_eq!((back, vat_back), (paid, vat));
            prop_assert!(withdrawn.iter().all(|times| *times <= 1));
            prop_assert!(paid == 0 || lines.iter().all(|line| line.is_withdrawn));
        }
    }
}
