//! Money as iyzico writes it: decimals with a dot. Amounts are minor units inside.

use serde_json::Value;

/// A decimal of at most two places, as text or number; not negative.
pub(crate) fn parse(value: &Value) -> Option<i64> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
    let all_digits = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if !all_digits || whole.is_empty() || decimals.len() > 2 {
        return None;
    }
    format!("{whole}{decimals:0<2}").parse().ok()
}

/// Without zeros at the end, as signatures take it: `120.5`, `10`.
pub(crate) fn plain(minor: i64) -> String {
    let text = format!("{}.{:02}", minor / 100, minor % 100);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// As answers carry it: a JSON number with eight decimals is what iyzico's examples show; a short one is the same.
pub(crate) fn number(minor: i64) -> Value {
    serde_json::from_str(&format!("{}.{:02}", minor / 100, minor % 100)).unwrap_or(Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn amounts_are_written_as_the_documents_show_them() {
        for (minor, text) in [(12050, "120.5"), (1000, "10"), (100, "1"), (5, "0.05"), (10000, "100")] {
            assert_eq!(plain(minor), text);
            assert_eq!(parse(&number(minor)), Some(minor));
        }
        assert_eq!(parse(&json!("22.0")), Some(2200));
        for text in ["1,5", "1.005", "-1", "", ".5", "1e3"] {
            assert_eq!(parse(&json!(text)), None, "{text}");
        }
    }
}
