//! The learner's journey: an academy puts a course online, a guest finds it, becomes a learner, buys it, watches it, finishes it, and
//! holds a certificate that a stranger can check. HTTP only, through the academy's own host; nothing that a person could
//! not do.

mod authoring;
mod cart;
mod learning;
mod mailbox;
mod proof;
mod report;
mod reports;
mod shop;
mod steps;

pub use report::{Report, Step};
pub use steps::{Academy, walk};
