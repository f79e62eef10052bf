//! Money as PayTR writes it. Amounts are minor units inside.

/// `return_amount`: major units with a dot and at most two decimals, as `10.25`; more than 0.
pub(crate) fn parse_return_amount(text: &str) -> Option<i64> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let all_digits = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if !all_digits || whole.is_empty() || decimals.len() > 2 {
        return None;
    }
    format!("{whole}{decimals:0<2}").parse().ok().filter(|minor| *minor > 0)
}

/// With a dot and two decimals: `149.90`.
pub(crate) fn dotted(minor: i64) -> String {
    format!("{}.{:02}", minor / 100, minor % 100)
}

/// As status inquiry writes it: a comma, and no zero at the end (`10,8`).
pub(crate) fn comma(minor: i64) -> String {
    match (minor / 100, minor % 100) {
        (whole, 0) => whole.to_string(),
        (whole, cents) if cents % 10 == 0 => format!("{whole},{}", cents / 10),
        (whole, cents) => format!("{whole},{cents:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_as_the_documents_show_them() {
        assert_eq!((comma(1080), comma(1000), comma(1005)), ("10,8".into(), "10".into(), "10,05".into()));
        assert_eq!(dotted(1005), "10.05");
        for (text, minor) in [("10.25", Some(1025)), ("10", Some(1000)), ("10.2", Some(1020)), ("0", None)] {
            assert_eq!(parse_return_amount(text), minor, "{text}");
        }
        for text in ["10,25", "10.255", "", ".5", "-1", "1.2.3", "1 0"] {
            assert_eq!(parse_return_amount(text), None, "{text}");
        }
    }
}
