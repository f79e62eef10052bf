//! Configuration is read once, at the start, and what is missing or wrong is named.

use akademi_functions::Variable;
use std::fmt;

/// A variable that is missing or wrong. It never repeats the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    pub variable: &'static str,
    pub problem: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "variable {}: {}", self.variable, self.problem)
    }
}

impl std::error::Error for ConfigError {}

/// The values of variables, looked up by their lower-case name.
pub struct Config<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
}

impl<'a> Config<'a> {
    pub fn new(lookup: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { lookup }
    }

    /// The value of `variable`, made into a `T`.
    ///
    /// # Errors
    /// [`ConfigError`] when it is missing, empty or not what `parse` takes.
    pub fn read<T, E: fmt::Display>(
        &self,
        variable: Variable,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, ConfigError> {
        let error = |problem| ConfigError { variable: variable.name, problem };
        let value = (self.lookup)(variable.name).filter(|value| !value.trim().is_empty());
        let value = value.ok_or_else(|| error(format!("is not set ({})", variable.meaning)))?;
        parse(&value).map_err(|problem| error(problem.to_string()))
    }

    /// As [`Self::read`] of a variable that may be missing: `None` then.
    ///
    /// # Errors
    /// [`ConfigError`] when it is not what `parse` takes.
    pub fn read_if_set<T, E: fmt::Display>(
        &self,
        variable: Variable,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, ConfigError> {
        let is_set = (self.lookup)(variable.name).is_some_and(|value| !value.trim().is_empty());
        if is_set { self.read(variable, parse).map(Some) } else { Ok(None) }
    }
}
