//! Tables of people as spreadsheets read and write them (RFC 4180). A crate for it would weigh more than this component may.

use akademi_api::Problem;

/// Without it Excel takes UTF-8 for the system's own encoding.
pub const BYTE_ORDER_MARK: &str = "\u{feff}";

/// A row as a line of a file: no cell is one that a spreadsheet would compute.
pub fn line(cells: &[&str]) -> String {
    let cells: Vec<_> = cells.iter().map(|cell| quoted(&defused(cell))).collect();
    cells.join(",") + "\r\n"
}

/// The cell as text, also where a spreadsheet would compute what it says (CSV injection, CWE-1236).
fn defused(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

fn quoted(cell: &str) -> String {
    if cell.contains(['"', ',', ';', '\r', '\n']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

/// How many cells a row may have.
const MOST_CELLS: usize = 64;

/// A row of a file.
#[derive(Debug, PartialEq, Eq)]
pub struct Record {
    /// The line that it begins on, from 1 on.
    pub line: u32,
    pub cells: Vec<String>,
}

/// The rows of a file of at most `max` of them, the first one too. Its separator is what stands in its first line more often:
/// Excel writes a semicolon where a comma is the decimal sign.
///
/// # Errors
/// 422 for what is not UTF-8, or has more rows.
pub fn records(bytes: &[u8], max: usize) -> Result<Vec<Record>, Problem> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| Problem::field("", "is not UTF-8: save the sheet as “CSV UTF-8”"))?;
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let first = text.split('\n').next().unwrap_or_default();
    let separator = if first.matches(';').count() > first.matches(',').count() { ';' } else { ',' };
    let mut letters = text.chars().peekable();
    let (mut records, mut line) = (Vec::new(), 1);
    loop {
        // Empty lines, and the end of the line before.
        while let Some(end) = letters.next_if(|letter| matches!(letter, '\r' | '\n')) {
            line += u32::from(end == '\n');
        }
        if letters.peek().is_none() {
            return Ok(records);
        }
        if records.len() == max {
            return Err(Problem::field("", format!("has more than {} rows: send it in parts", max - 1)));
        }
        let (begin, mut cells, mut cell, mut is_quoted) = (line, Vec::new(), String::new(), false);
        while let Some(letter) = letters.next() {
            line += u32::from(letter == '\n');
            match letter {
                '"' if is_quoted && letters.next_if_eq(&'"').is_some() => cell.push('"'),
                '"' if is_quoted => is_quoted = false,
                '"' if cell.trim().is_empty() => is_quoted = true,
                '\r' | '\n' if !is_quoted => break,
                _ if letter == separator && !is_quoted => {
                    cells.push(std::mem::take(&mut cell).trim().to_owned());
                }
                _ => cell.push(letter),
            }
        }
        cells.push(cell.trim().to_owned());
        if cells.len() > MOST_CELLS {
            return Err(Problem::field(format!("line {begin}"), "has too many cells"));
        }
        records.push(Record { line: begin, cells });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(u32, Vec<String>)> {
        records(text.as_bytes(), 100).unwrap().into_iter().map(|row| (row.line, row.cells)).collect()
    }

    fn row(line: u32, cells: &[&str]) -> (u32, Vec<String>) {
        (line, cells.iter().map(|cell| (*cell).to_owned()).collect())
    }

    #[test]
    fn what_a_spreadsheet_would_compute_is_text_and_comes_back() {
        for formula in ["=1+1", "+90 555", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            assert!(line(&[formula]).trim_start_matches('"').starts_with('\''), "{formula}");
        }
        let cells = ["a", "b,c", "d \"e\"", "f\r\ng", "", "ış; ğ"];
        assert_eq!(line(&cells), "a,\"b,c\",\"d \"\"e\"\"\",\"f\r\ng\",,\"ış; ğ\"\r\n");
        assert_eq!(read(&format!("{BYTE_ORDER_MARK}{}", line(&cells))), [row(1, &cells)]);
    }

    #[test]
    fn rows_are_read_as_spreadsheets_write_them_with_the_lines_that_they_begin_on() {
        let expected = [row(1, &["e-mail", "name"]), row(3, &["a@b.co", "Ş\nI"]), row(5, &["c@d.co", "İ"])];
        for text in [
            "e-mail,name\n\na@b.co,\"Ş\nI\"\nc@d.co,İ",
            "e-mail;name\r\n\r\na@b.co;\"Ş\nI\"\r\nc@d.co;İ\r\n",
            "\u{feff}\"e-mail\";\"name\"\n\r\n a@b.co ;\"Ş\nI\"\nc@d.co;İ\n\n",
        ] {
            assert_eq!(read(text), expected, "{text:?}");
        }
        assert!(read("").is_empty() && read("\r\n\n").is_empty());
        assert_eq!(read("a,b\n\"never closed"), [row(1, &["a", "b"]), row(2, &["never closed"])]);
        assert_eq!(records(b"a\nb\nc", 2).unwrap_err().status(), 422);
        assert_eq!(records(b"a\n\xfe", 9).unwrap_err().status(), 422, "windows-1254");
        assert_eq!(records(format!("a\n{}", ",".repeat(999)).as_bytes(), 9).unwrap_err().status(), 422);
    }
}
