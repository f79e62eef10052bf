//! The learner's journey: an academy puts a course online, a learner finds it, watches it, answers, finishes it.
//! HTTP only, through the academy's own host; nothing that a person could not do.

mod report;
mod steps;

pub use report::{Report, Step};
pub use steps::{Academy, walk};
