//! One range of bytes (RFC 9110 §14.1.2).

use std::ops::Range;

/// What a request wants of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    Whole,
    Part(Range<u64>),
    /// Nothing of the file lies in the range: 416.
    Beyond,
}

/// Reads a `Range` header for a file of `size` bytes. What is no single range of bytes is ignored, as §14.2 permits.
pub fn asked_range(header: Option<&str>, size: u64) -> Asked {
    let Some((first, last)) = header.and_then(|header| header.strip_prefix("bytes=")?.split_once('-')) else {
        return Asked::Whole;
    };
    let number = |text: &str| {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.parse::<u64>().unwrap_or(u64::MAX))
    };
    match (number(first), number(last)) {
        (Some(first), _) if first >= size && (last.is_empty() || number(last).is_some()) => Asked::Beyond,
        (Some(first), None) if last.is_empty() => Asked::Part(first..size),
        (Some(first), Some(last)) if first <= last => Asked::Part(first..size.min(last.saturating_add(1))),
        (None, Some(0)) if first.is_empty() => Asked::Beyond,
        (None, Some(_)) if first.is_empty() && size == 0 => Asked::Beyond,
        (None, Some(count)) if first.is_empty() => Asked::Part(size.saturating_sub(count)..size),
        _ => Asked::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_cut_at_the_files_end() {
        for (header, asked) in [
            ("bytes=0-9", Asked::Part(0..10)),
            ("bytes=90-", Asked::Part(90..100)),
            ("bytes=90-1000", Asked::Part(90..100)),
            ("bytes=-10", Asked::Part(90..100)),
            ("bytes=-1000", Asked::Part(0..100)),
            ("bytes=99-99", Asked::Part(99..100)),
            ("bytes=100-", Asked::Beyond),
            ("bytes=100-200", Asked::Beyond),
            ("bytes=-0", Asked::Beyond),
            ("bytes=99999999999999999999-", Asked::Beyond),
        ] {
            assert_eq!(asked_range(Some(header), 100), asked, "{header}");
        }
    }

    #[test]
    fn what_is_no_single_range_is_the_whole_file() {
        for header in
            ["", "bytes=", "bytes=-", "bytes=9-0", "bytes=0-1,5-6", "lines=0-1", "bytes=a-b", "bytes=+1-2"]
        {
            assert_eq!(asked_range(Some(header), 100), Asked::Whole, "{header}");
        }
        assert_eq!(asked_range(None, 100), Asked::Whole);
    }
}
