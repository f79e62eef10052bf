//! The scripts of problems with random numbers.
//!
//! Open edX runs them as Python. Here the few statements are understood that such a problem usually has:
//! assignments of whole numbers, `+ - *`, brackets and `random.randint`. Anything else is not guessed at.

use std::collections::BTreeMap;

/// The variables of a script, each with its final value.
pub(super) type Variables = BTreeMap<String, i64>;

/// Runs a script, or says `None` if it is more than assignments. `seed` decides the random numbers, so that
/// the same problem always gets the same ones.
pub(super) fn run(script: &str, seed: &str) -> Option<Variables> {
    let mut variables = Variables::new();
    // FNV-1a, 64 bits.
    let mut random = seed.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    });
    for line in script.lines() {
        let statement = line.split('#').next().unwrap_or_default().trim();
        if statement.is_empty() || statement == "import random" {
            continue;
        }
        let (name, expression) = statement.split_once('=')?;
        let name = name.trim();
        if !is_name(name) {
            return None;
        }
        let mut reader = Reader { rest: expression, variables: &variables, random: &mut random, depth: 0 };
        let value = reader.sum()?;
        if !reader.rest.trim().is_empty() {
            return None;
        }
        variables.insert(name.to_owned(), value);
    }
    Some(variables)
}

fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The names that `text` refers to as `$name`.
pub(super) fn references(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices('$')
        .map(|(at, _)| name_at(text.get(at + 1..).unwrap_or_default()))
        .filter(|name| is_name(name))
}

fn name_at(text: &str) -> &str {
    let end =
        text.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// `text` with the values in place of `$name`.
pub(super) fn substitute(text: &str, variables: &Variables) -> String {
    let mut pieces = text.split('$');
    let mut substituted = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let name = name_at(piece);
        match variables.get(name) {
            Some(value) => {
                substituted.push_str(&value.to_string());
                substituted.push_str(piece.get(name.len()..).unwrap_or_default());
            }
            None => {
                substituted.push('$');
                substituted.push_str(piece);
            }
        }
    }
    substituted
}

struct Reader<'a> {
    rest: &'a str,
    variables: &'a Variables,
    random: &'a mut u64,
    depth: u8,
}

impl Reader<'_> {
    fn takes(&mut self, symbol: &str) -> bool {
        match self.rest.trim_start().strip_prefix(symbol) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn sum(&mut self) -> Option<i64> {
        let mut sum = self.product()?;
        loop {
            if self.takes("+") {
                sum = sum.checked_add(self.product()?)?;
            } else if self.takes("-") {
                sum = sum.checked_sub(self.product()?)?;
            } else {
                return Some(sum);
            }
        }
    }

    fn product(&mut self) -> Option<i64> {
        let mut product = self.factor()?;
        // `**` fails in `factor`, which finds no number after the first `*`.
        while self.takes("*") {
            product = product.checked_mul(self.factor()?)?;
        }
        Some(product)
    }

    fn factor(&mut self) -> Option<i64> {
        if self.depth > 30 {
            return None;
        }
        self.depth += 1;
        let value = if self.takes("-") {
            self.factor()?.checked_neg()?
        } else if self.takes("(") {
            let value = self.sum()?;
            self.takes(")").then_some(value)?
        } else if self.takes("random.randint(") {
            let from = self.sum()?;
            let to = if self.takes(",") { self.sum()? } else { return None };
            self.takes(")").then_some(())?;
            self.random_between(from, to)?
        } else {
            let text = self.rest.trim_start();
            let word = name_at(text);
            self.rest = text.get(word.len()..)?;
            match self.variables.get(word) {
                Some(value) => *value,
                None if word.bytes().all(|byte| byte.is_ascii_digit()) => word.parse().ok()?,
                None => return None,
            }
        };
        self.depth -= 1;
        Some(value)
    }

    /// A number from `from` to `to`, both included, by SplitMix64.
    fn random_between(&mut self, from: i64, to: i64) -> Option<i64> {
        let count = u64::try_from(to.checked_sub(from)?.checked_add(1)?).ok().filter(|count| *count > 0)?;
        *self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = *self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        from.checked_add(i64::try_from(mixed % count).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_of_assignments_gives_its_variables_and_always_the_same() {
        let script = "\nimport random\nx = random.randint(0, 20)  # first\ny = random.randint(5, 5)\nz = -(x + y) * 2\n";
        let variables = run(script, "a").unwrap();
        assert!((0..=20).contains(&variables["x"]));
        assert_eq!(variables["y"], 5);
        assert_eq!(variables["z"], -(variables["x"] + 5) * 2);
        assert_eq!(run(script, "a").unwrap(), variables);
        let seeds: std::collections::BTreeSet<i64> =
            (0..50).map(|seed: i32| run(script, &seed.to_string()).unwrap()["x"]).collect();
        assert!(seeds.len() > 10, "{seeds:?}");
    }

    #[test]
    fn what_is_more_than_assignments_is_not_guessed_at() {
        for script in [
            "def f(): return 1",
            "x = open('/etc/passwd')",
            "x = 1 / 2",
            "x = 2 ** 3",
            "x = y",
            "x == 1",
            "x = 9223372036854775807 + 1",
            "x = random.randint(5, 1)",
            "x = random.randint(5)",
            "x = 1 2",
            &format!("x = {}1{}", "(".repeat(100_000), ")".repeat(100_000)),
            "1x = 1",
        ] {
            assert_eq!(run(script, ""), None, "{}", script.get(..20).unwrap_or(script));
        }
    }

    #[test]
    fn only_whole_names_are_replaced() {
        let variables = Variables::from([("x".to_owned(), 7)]);
        assert_eq!(substitute("$x + $xy = $ 5 $x.", &variables), "7 + $xy = $ 5 7.");
        assert_eq!(references("$x $5 $$y ${z}").collect::<Vec<_>>(), ["x", "y"]);
    }
}
