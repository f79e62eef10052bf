//! iyzico's two notations of a decimal: the price that requests carry, which keeps one decimal (`149.9`, `10.0`), and the
//! plain one that response signatures are made of, which keeps none that is zero (`149.9`, `10`).

use serde_json::Value;

/// Minor units as iyzico's libraries write a price: a dot, no zero at the end but the first decimal. The amount is not
/// negative.
pub(super) fn to_price(minor: i64) -> String {
    let (whole, cents) = (minor / 100, minor % 100);
    if cents % 10 == 0 { format!("{whole}.{}", cents / 10) } else { format!("{whole}.{cents:02}") }
}

/// A decimal of an answer, as text or number, in the notation of response signatures. `None` for what is no plain decimal.
pub(super) fn plain(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        // Read as a double, whose shortest text is the same decimal up to 15 digits: far above any price.
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    Some(if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") })
}

/// A decimal of an answer in minor units; `None` for what is none, or has a part below them.
pub(super) fn minor(value: &Value) -> Option<i64> {
    let text = plain(value)?;
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    if fraction.len() > 2 {
        return None;
    }
    whole.parse::<i64>().ok()?.checked_mul(100)?.checked_add(format!("{fraction:0<2}").parse().ok()?)
}

/// How many hundred-millionths a minor unit has.
const EXACT: i128 = 1_000_000;

/// A decimal of a report in hundred-millionths of the major unit; `None` for what is none, or is finer still.
pub(super) fn exact(value: &Value) -> Option<i128> {
    let text = plain(value)?;
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    if fraction.len() > 8 {
        return None;
    }
    let fraction: i128 = format!("{fraction:0<8}").parse().ok()?;
    Some(i128::from(whole.parse::<i64>().ok()?) * 100 * EXACT + fraction)
}

/// Hundred-millionths, which are not negative, as the nearest minor unit.
pub(super) fn rounded(exact: i128) -> Option<i64> {
    i64::try_from((exact + EXACT / 2) / EXACT).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn prices_are_written_as_iyzicos_libraries_do() {
        for (minor, price) in [(2200, "22.0"), (1534, "15.34"), (1000, "10.0"), (14990, "149.9"), (5, "0.05")]
        {
            assert_eq!(to_price(minor), price);
        }
    }

    #[test]
    fn decimals_of_answers_lose_their_zeros() {
        for (value, text) in [
            (json!("10.50"), "10.5"),
            (json!("10.0"), "10"),
            (json!("1.00000000"), "1"),
            (json!(1.0), "1"),
            (json!(120.5), "120.5"),
            (json!(100), "100"),
        ] {
            assert_eq!(plain(&value).as_deref(), Some(text), "{value}");
        }
        assert_eq!(minor(&json!("120.50")), Some(12050));
        assert_eq!(minor(&json!(0.07)), Some(7));
        for none in [json!("1,5"), json!("-1"), json!(1e30), json!(null), json!(""), json!("1.")] {
            assert_eq!(plain(&none), None, "{none}");
        }
        for none in [json!("1.005"), json!("92233720368547758.08")] {
            assert_eq!(minor(&none), None, "{none}");
        }
    }

    #[test]
    fn parts_of_a_minor_unit_are_rounded_to_the_nearest() {
        for (value, minor) in
            [(json!("1.745"), 175), (json!(1.744), 174), (json!("0.00499999"), 0), (json!("10"), 1000)]
        {
            assert_eq!(rounded(exact(&value).unwrap()), Some(minor), "{value}");
        }
        assert_eq!(exact(&json!("0.123456789")), None);
        assert_eq!(rounded(exact(&json!("9223372036854775807")).unwrap()), None, "beyond 64 bits");
    }

    proptest! {
        #[test]
        fn every_amount_survives_both_ways(amount in 0..=(1i64 << 53)) {
            prop_assert_eq!(minor(&json!(to_price(amount))), Some(amount));
        }

        #[test]
        fn every_price_survives_a_json_number(amount in 0i64..1_000_000_000_000) {
            let number: Value = serde_json::from_str(&to_price(amount)).unwrap();
            prop_assert_eq!(minor(&number), Some(amount));
        }
    }
}
