//! What the text of a statement says by itself, for engines that do not say it: Spin and D1 have no connection that
//! only reads, and D1 runs every statement of a text and takes all numbers for reals.

#[cfg(any(test, all(target_arch = "wasm32", target_os = "unknown")))]
use crate::{database::StoreError, value::Value};

/// Whether `sql` is a `SELECT` or `VALUES`, with or without a `WITH` before it, or asks for the plan of one.
pub(crate) fn only_reads(sql: &str) -> bool {
    const VERBS: [&str; 6] = ["select", "values", "insert", "replace", "update", "delete"];
    let is = |word: &str, names: &[&str]| names.iter().any(|name| word.eq_ignore_ascii_case(name));
    let mut depth = 0_usize;
    let mut words = Tokens(sql).filter_map(|token| {
        match token {
            Token::Other("(") => depth += 1,
            Token::Other(")") => depth = depth.saturating_sub(1),
            Token::Word(word) if depth == 0 => return Some(word),
            _ => {}
        }
        None
    });
    let verb = words.find(|word| !is(word, &["explain", "query", "plan"])).and_then(|first| {
        if is(first, &["with"]) { words.find(|word| is(word, &VERBS)) } else { Some(first) }
    });
    verb.is_some_and(|verb| is(verb, &["select", "values"]))
}

/// `sql` up to its end, with each parameter that is an integer cast to one.
///
/// # Errors
/// [`StoreError::Engine`] when a second statement follows.
#[cfg(any(test, all(target_arch = "wasm32", target_os = "unknown")))]
pub(crate) fn with_integers(sql: &str, params: &[Value]) -> Result<String, StoreError> {
    let is_integer = |number: &str| {
        let index = number.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        matches!(index.and_then(|index| params.get(index)), Some(Value::Integer(_)))
    };
    let mut text = String::with_capacity(sql.len() + 18 * params.len());
    let mut is_over = false;
    let mut follows_mark = false;
    for token in Tokens(sql) {
        if is_over {
            if matches!(token, Token::Blank(_) | Token::Other(";")) {
                continue;
            }
            return Err(StoreError::Engine("a second statement in one text".into()));
        }
        match token {
            Token::Word(number) if follows_mark && is_integer(number) => {
                // Its mark stands there already.
                text.pop();
                text.extend(["CAST(?", number, " AS INTEGER)"]);
            }
            // D1 would look for a statement behind it.
            Token::Other(";") => is_over = true,
            Token::Word(part) | Token::Quoted(part) | Token::Blank(part) | Token::Other(part) => {
                text.push_str(part);
            }
        }
        follows_mark = token == Token::Other("?");
    }
    Ok(text)
}

/// A piece of a statement (<https://sqlite.org/lang_keywords.html>, <https://sqlite.org/lang_comment.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    /// Letters, digits and underscores.
    Word(&'a str),
    /// A name or a value with its quotes. A quote that is doubled in it makes two.
    Quoted(&'a str),
    /// White space or a comment.
    Blank(&'a str),
    /// One character.
    Other(&'a str),
}

struct Tokens<'a>(&'a str);

impl<'a> Tokens<'a> {
    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.0.split_at_checked(bytes).unwrap_or((self.0, ""));
        self.0 = rest;
        taken
    }

    /// What begins with `begin` bytes and goes on to the next `end`, or to the end of the text.
    fn take_past(&mut self, begin: usize, end: &str) -> &'a str {
        let found = self.0.get(begin..).and_then(|rest| rest.find(end));
        self.take(found.map_or(self.0.len(), |found| begin + found + end.len()))
    }

    fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> &'a str {
        self.take(self.0.find(|c| !belongs(c)).unwrap_or(self.0.len()))
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        Some(match self.0.chars().next()? {
            first if is_word(first) => Token::Word(self.take_while(is_word)),
            first if first.is_whitespace() => Token::Blank(self.take_while(char::is_whitespace)),
            '-' if self.0.starts_with("--") => Token::Blank(self.take_past(2, "\n")),
            '/' if self.0.starts_with("/*") => Token::Blank(self.take_past(2, "*/")),
            '\'' => Token::Quoted(self.take_past(1, "'")),
            '"' => Token::Quoted(self.take_past(1, "\"")),
            '`' => Token::Quoted(self.take_past(1, "`")),
            '[' => Token::Quoted(self.take_past(1, "]")),
            other => Token::Other(self.take(other.len_utf8())),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_writes_is_told_from_what_reads() {
        for sql in [
            "SELECT 1",
            "  select 1",
            "-- DELETE\n/* x */SELECT 1",
            "VALUES (1)",
            "EXPLAIN QUERY PLAN WITH a AS (SELECT 1) SELECT * FROM a",
            "WITH a AS (SELECT 1), b (i) AS (VALUES (')')) SELECT * FROM a",
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n",
            "WITH \"delete\" AS (SELECT '''(' || \")\" /* ( */) SELECT 1",
            "WITH a AS MATERIALIZED (SELECT [update] FROM `insert`) VALUES (1)",
        ] {
            assert!(only_reads(sql), "{sql}");
        }
        for sql in [
            "",
            "-- SELECT",
            "/* SELECT",
            "'SELECT",
            "INSERT INTO t SELECT 1",
            "WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a",
            "WITH a AS (SELECT ')', \")\") -- SELECT\n UPDATE t SET x = 1",
            "WITH a AS (SELECT 1) /* SELECT */ DELETE FROM t",
            "with a as (select 1) replace into t select 1",
            "WITH a AS (SELECT 1)",
            "DROP TABLE t",
            "EXPLAIN QUERY PLAN DELETE FROM t",
            "EXPLAIN PRAGMA user_version = 1",
            "selection",
            "ş",
        ] {
            assert!(!only_reads(sql), "{sql}");
        }
    }

    #[test]
    fn integers_are_cast_and_nothing_else_changes() {
        let params = [Value::Integer(1), Value::Text("2".into()), Value::Integer(3)];
        for (sql, expected) in [
            ("SELECT ?1, ?2, ?3", "SELECT CAST(?1 AS INTEGER), ?2, CAST(?3 AS INTEGER)"),
            ("SELECT x/?1+?1", "SELECT x/CAST(?1 AS INTEGER)+CAST(?1 AS INTEGER)"),
            (
                "SELECT '?1 ''?1', \"?1\" -- ?1\n, /* ?1 */ ?2",
                "SELECT '?1 ''?1', \"?1\" -- ?1\n, /* ?1 */ ?2",
            ),
            ("SELECT ?0, ?10, ?, ?18446744073709551616", "SELECT ?0, ?10, ?, ?18446744073709551616"),
            ("SELECT 'İ', ?3 ; -- end\n;", "SELECT 'İ', CAST(?3 AS INTEGER) "),
        ] {
            assert_eq!(with_integers(sql, &params).unwrap(), expected);
        }
        assert!(with_integers("SELECT ';'; --;\nSELECT 1", &[]).is_err());
        assert!(with_integers("SELECT 1;'", &[]).is_err());
    }
}
