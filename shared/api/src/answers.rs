//! Public answers that were made before. An academy's generation moves with every publication and price, so an answer
//! whose question names the generation is always the same; nothing here outlives its turn among the most asked.

use akademi_domain::ids::TenantId;
use bytes::Bytes;
use lru::LruCache;
use std::sync::{Arc, Mutex, PoisonError};

use crate::{ports::PublicCache, problem::Problem};

/// How many bytes are kept at most, as [`weight`] counts them.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// An answer with its `ETag` (without quotes).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub etag: String,
    pub body: Bytes,
}

/// The academy, and what was asked of which generation.
pub type Question = (TenantId, String);

/// Answers of all academies, the last asked kept longest.
#[derive(Clone)]
pub struct Answers(Arc<Mutex<Kept>>);

struct Kept {
    answers: LruCache<Question, Answer>,
    bytes: usize,
}

impl Default for Answers {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Kept { answers: LruCache::unbounded(), bytes: 0 })))
    }
}

impl Answers {
    /// The answer that was kept for `question`.
    pub fn find(&self, question: &Question) -> Option<Answer> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).answers.get(question).cloned()
    }

    /// The answer to `question`, which names what it depends on: from memory, from the platform's cache, or made anew; `make`
    /// says whether it may be kept.
    ///
    /// # Errors
    /// Of `make`.
    pub async fn find_or_make(
        &self,
        cache: Option<&dyn PublicCache>,
        question: Question,
        make: impl Future<Output = Result<(Answer, bool), Problem>>,
    ) -> Result<Answer, Problem> {
        if let Some(answer) = self.find(&question) {
            return Ok(answer);
        }
        if let Some(cache) = cache
            && let Some(answer) = cache.find(&question).await
        {
            self.keep(question, answer.clone());
            return Ok(answer);
        }
        let (answer, may_be_kept) = make.await?;
        if may_be_kept {
            if let Some(cache) = cache {
                cache.keep(&question, &answer).await;
            }
            self.keep(question, answer.clone());
        }
        Ok(answer)
    }

    /// Keeps `answer`; what was asked for longest ago makes way.
    pub fn keep(&self, question: Question, answer: Answer) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.bytes += weight(&question, &answer);
        if let Some((question, before)) = kept.answers.push(question, answer) {
            kept.bytes -= weight(&question, &before);
        }
        while kept.bytes > MAX_BYTES {
            let Some((question, oldest)) = kept.answers.pop_lru() else { break };
            kept.bytes -= weight(&question, &oldest);
        }
    }
}

/// The bytes of a kept answer: its texts, and what a map and a list need beside them.
fn weight((_, asked): &Question, answer: &Answer) -> usize {
    const ENTRY: usize = 256;
    ENTRY + asked.len() + answer.etag.len() + answer.body.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use akademi_domain::time::Timestamp;

    fn question(tenant: u8, asked: &str) -> Question {
        (TenantId::new(Timestamp::from_millis(1_790_000_000_000), [tenant; 10]), asked.to_owned())
    }

    fn answer(bytes: usize) -> Answer {
        Answer { etag: bytes.to_string(), body: vec![b'x'; bytes].into() }
    }

    #[test]
    fn an_answer_is_of_one_academy_and_one_question() {
        let answers = Answers::default();
        answers.keep(question(1, "l7.20."), answer(10));
        assert_eq!(answers.find(&question(1, "l7.20.")), Some(answer(10)));
        assert_eq!(answers.find(&question(2, "l7.20.")), None, "another academy's");
        assert_eq!(answers.find(&question(1, "l8.20.")), None, "another generation's");
    }

    #[test]
    fn the_bytes_that_are_kept_are_bounded() {
        let answers = Answers::default();
        for asked in ["a", "b", "a"] {
            answers.keep(question(1, asked), answer(MAX_BYTES / 2 - 1000));
        }
        assert!(
            answers.find(&question(1, "b")).is_some(),
            "a question that is answered anew takes no more room"
        );
        answers.keep(question(1, "c"), answer(2000));
        assert!(answers.find(&question(1, "a")).is_none(), "it was asked for longest ago");
        assert!(answers.find(&question(1, "b")).is_some() && answers.find(&question(1, "c")).is_some());
        answers.keep(question(1, "d"), answer(MAX_BYTES + 1));
        assert!(answers.find(&question(1, "d")).is_none());
        assert_eq!(answers.0.lock().unwrap().bytes, 0);
        for number in 0..MAX_BYTES / 256 {
            answers.keep(question(1, &number.to_string()), answer(0));
        }
        let kept = answers.0.lock().unwrap().answers.len();
        assert!(kept < MAX_BYTES / 256, "{kept} empty answers are kept");
    }
}
