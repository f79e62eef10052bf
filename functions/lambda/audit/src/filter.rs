//! Which entries somebody wants to see.

use akademi_api::{Problem, paging::Limit};
use akademi_domain::{ids::UserId, time::Timestamp};
use serde::{Deserialize, Serialize};

/// The longest action and the longest target that are searched for, in bytes.
const MAX_TEXT: usize = 200;

/// Every field that is given must fit.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Filter {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The first moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// The first moment after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
}

/// The query parameters of the export.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExportParams {
    /// Only this action, as `course.published`.
    #[serde(default)]
    #[param(max_length = 200)]
    action: Option<String>,
    /// Only what this person did.
    #[serde(default)]
    actor: Option<UserId>,
    /// Only what was done to this, as `course:01890000-0000-7000-8000-0000000000c1`.
    #[serde(default)]
    #[param(max_length = 200)]
    target: Option<String>,
    /// Not before this moment.
    #[serde(default)]
    from: Option<Timestamp>,
    /// Before this moment.
    #[serde(default)]
    to: Option<Timestamp>,
}

/// The query parameters of the list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// How many entries to answer at most: 1 to 100.
    #[serde(default)]
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100)]
    pub limit: Limit,
    /// Where the page before ended: its `next_cursor`.
    #[serde(default)]
    pub cursor: Option<String>,
    /// Only this action, as `course.published`.
    #[serde(default)]
    #[param(max_length = 200)]
    action: Option<String>,
    /// Only what this person did.
    #[serde(default)]
    actor: Option<UserId>,
    /// Only what was done to this, as `course:01890000-0000-7000-8000-0000000000c1`.
    #[serde(default)]
    #[param(max_length = 200)]
    target: Option<String>,
    /// Not before this moment.
    #[serde(default)]
    from: Option<Timestamp>,
    /// Before this moment.
    #[serde(default)]
    to: Option<Timestamp>,
}

impl ListParams {
    /// # Errors
    /// 422 as [`Filter::checked`].
    pub fn filter(self) -> Result<Filter, Problem> {
        let Self { action, actor, target, from, to, .. } = self;
        Filter { action, actor, target, from, to }.checked()
    }
}

impl ExportParams {
    /// # Errors
    /// 422 as [`Filter::checked`].
    pub fn filter(self) -> Result<Filter, Problem> {
        let Self { action, actor, target, from, to } = self;
        Filter { action, actor, target, from, to }.checked()
    }
}

impl Filter {
    /// # Errors
    /// 422 for a text that no entry has, and for a time that ends before it begins.
    fn checked(self) -> Result<Self, Problem> {
        for (field, text) in [("action", &self.action), ("target", &self.target)] {
            let is_searched =
                |text: &String| (1..=MAX_TEXT).contains(&text.len()) && !text.chars().any(char::is_control);
            if !text.as_ref().is_none_or(is_searched) {
                return Err(Problem::field(field, format!("must be 1 to {MAX_TEXT} bytes of text")));
            }
        }
        if let (Some(from), Some(to)) = (self.from, self.to)
            && to <= from
        {
            return Err(Problem::field("to", "must lie after from"));
        }
        Ok(self)
    }
}
