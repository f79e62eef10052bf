//! Watching: which seconds of a lesson a learner has seen, and which claims of a player are believed.
//!
//! A player reports the intervals that it played ([`Reported`]); [`Claim::parse`] checks them; [`credit`]
//! decides, from the learner's [`LearnerClock`] and the lesson's [`Watched`] set, how many of the new seconds
//! count. The caller stores what [`Credit`] returns, the set and the clock in one atomic step.
//!
//! # What is guaranteed
//! Every second that a learner gains is paid for with wall-clock time of the server, and every wall-clock
//! second pays once, whatever lesson, tab or device it is for. A second costs `1 / rate limit` of wall time.
//! Only time that lies between a playback's first heartbeat and the present one pays, so that idle time
//! without a player is worth nothing; so over all of a learner's playback at once
//!
//! > Σ gained / rate limit ≤ wall time during which one of the learner's playbacks was open + slack
//!
//! in whatever order, however late, however often and from however many devices heartbeats arrive. Over any
//! shorter stretch of time the same holds (within two seconds of rounding) where the stretch is taken to begin
//! at the moment from which its heartbeats may draw:
//! - a heartbeat that continues its playback draws on the time since that playback was last heard of, and
//!   on the [`Rules::slack_seconds`] before it;
//! - a heartbeat that says it is late (played before something that was already heard) draws on what is
//!   unspent between the playback's first heartbeat and the moment at which it says it was played;
//! - neither reaches back more than [`HORIZON_SECONDS`], a day: the longest offline replay that is credited;
//! - the first heartbeat of a playback draws on nothing but slack, whatever it says about itself: players
//!   send one as they open.
//!
//! Somebody who opens a player, goes away for an hour and then claims that hour is credited with it: that is
//! exactly what a player that was offline sends, and no more than a muted player would have got.
//!
//! # What costs nothing
//! Seconds that were watched before cost no wall time: the same heartbeat sent twice must change nothing, and
//! a repeat cannot be told from watching again.

mod claim;
mod clock;
mod credit;
mod encoding;
#[cfg(test)]
mod histories;
mod positions;
mod refusals;
mod second_set;
#[cfg(test)]
mod traces;

pub use claim::{Claim, InvalidDuration, InvalidHeartbeat, LessonDuration, MAX_INTERVALS, Reported};
pub use clock::{HORIZON_SECONDS, LearnerClock};
pub use credit::{Credit, InvalidRules, MAX_SLACK_SECONDS, RATE_LIMIT_PERCENT, Rules, credit};
pub use encoding::InvalidEncoding;
pub use positions::Positions;
pub use refusals::{Refusal, RefusedSeconds};
pub use second_set::SecondSet;

/// The watched seconds of one lesson.
pub type Watched = SecondSet;
