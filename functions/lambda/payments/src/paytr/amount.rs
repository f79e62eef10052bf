//! PayTR's two notations of money: whole kuruş (`3456`) in get-token and callbacks, and major units (`34.56`)
//! in the basket, refunds and inquiries, where its answers write a comma or a dot.

/// Minor units in major units with a dot and two digits: `14990` is `149.90`. The amount is not negative.
pub(super) fn to_major(minor: i64) -> String {
    format!("{}.{:02}", minor / 100, minor % 100)
}

/// Reads major units with at most two decimals after a dot or a comma into minor units. Anything else, a
/// thousands separator too, is `None` rather than a guess.
pub(super) fn from_major(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once(['.', ',']).unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() > 2 {
        return None;
    }
    let hundredths = fraction.parse::<i64>().ok()? * if fraction.len() == 1 { 10 } else { 1 };
    whole.parse::<i64>().ok()?.checked_mul(100)?.checked_add(hundredths)
}

/// The same for a JSON value: a string, or a number as it was written.
pub(super) fn from_json(value: &serde_json::Value) -> Option<i64> {
    match value {
        serde_json::Value::String(text) => from_major(text),
        serde_json::Value::Number(number) => from_major(&number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn answers_are_read_with_comma_and_dot() {
        for (text, minor) in
            [("10,8", 1080), ("10.80", 1080), ("10", 1000), ("0,05", 5), ("149.9", 14990), ("0", 0)]
        {
            assert_eq!(from_major(text), Some(minor), "{text}");
        }
        for text in
            ["", ".", "1.", ".5", "1.234,50", "1.234", "-1", "+1", "1e3", " 1", "92233720368547758.08"]
        {
            assert_eq!(from_major(text), None, "{text}");
        }
        assert_eq!(from_json(&serde_json::json!(10.8)), Some(1080));
        assert_eq!(from_json(&serde_json::json!(null)), None);
    }

    proptest! {
        #[test]
        fn every_amount_survives_both_ways(minor in 0..=(1i64 << 53)) {
            prop_assert_eq!(from_major(&to_major(minor)), Some(minor));
        }
    }
}
