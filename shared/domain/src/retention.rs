//! How long what is kept (Law 6698 art. 4 and 7; GDPR art. 5 (1) e): the policy that the night applies.

use crate::time::Timestamp;

/// How long rows of one table are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// What, by the name of its table.
    pub what: &'static str,
    /// From then on it counts.
    pub from: &'static str,
    /// 0 where it goes the next night.
    pub days: i64,
    pub why: &'static str,
}

impl Rule {
    /// What counts from before that moment goes at `now`.
    pub const fn ends(&self, now: Timestamp) -> Timestamp {
        now.plus_seconds(-self.days * 24 * 3600)
    }
}

/// How long a backup may be older than what it is restored over. For as long, each plane tells the other every night whom it
/// has erased.
pub const BACKUPS: Rule = Rule {
    what: "backup",
    from: "it was made",
    days: 35,
    why: "what an erasure takes from a database stays in its backups until they go",
};

macro_rules! rules {
    ($($name:ident: $what:literal, $from:literal, $days:literal, $why:literal;)+) => {
        $(pub const $name: Rule = Rule { what: $what, from: $from, days: $days, why: $why };)+
        /// All of them.
        pub const RULES: &[Rule] = &[BACKUPS, $($name),+];
    };
}

rules! {
    PENDING_PEOPLE: "pending_person", "their link ran out", 0,
        "nobody can become a person by it any more; their key goes with them";
    LINKS: "one_time_link", "it ran out, used or not", 0, "it opens nothing any more";
    SESSIONS: "session", "it ended or ran out", 90, "staff and its owner look into sign-ins that they do not know";
    THROTTLES: "throttle", "the last attempt", 1, "no delay is longer";
    TRUSTED_THROTTLES: "throttle", "the last attempt of somebody who had signed in there", 90,
        "where somebody is known, strangers' failures do not delay them";
    RECOVERY_CODES: "recovery_code", "the second factor was switched off", 0, "there is nothing that they stand in for";
    PROVIDER_SIGN_INS: "provider_sign_in", "it ran out", 0, "the browser has to begin again";
    PASSKEY_CHALLENGES: "passkey_challenge", "it ran out", 0, "the page has to begin again";
    PROVIDER_DELETIONS: "provider_deletion", "the provider passed on its owner's wish", 1096,
        "the record of a deletion is kept for three years (regulation of 28 October 2017)";
    GUEST_CARTS: "cart", "a guest last changed it", 30, "whoever means to buy comes back by then";
    DOMAIN_CLAIMS: "domain_claim", "it was made", 30, "whoever means it has proved it by then";
    DELIVERIES: "delivery", "the segment was handed out", 2, "a player that was offline tells of it within a day";
    ANSWERS: "idempotency", "the request", 3, "no client repeats a request for longer";
    CONSENTS: "consent", "the person was erased", 1096, "proof that consent was given, for as long as complaints are taken";
    TOMBSTONES: "tombstone", "the erasure", 1096,
        "the record of an erasure is kept for three years (regulation of 28 October 2017)";
    MAILS: "mail", "it was wanted", 90, "staff look into mail that did not arrive";
    JOBS: "job", "it ended", 90, "whoever began it looks at its result";
    IMPORTS: "course_import", "the archive was announced", 90, "the course is there, and its author has the archive";
    UPLOADS: "upload", "it was begun, of one that is not complete", 1, "nobody goes on with it after a day";
    IMAGES: "image", "it was begun, of one whose files are not all in storage", 1, "nobody waits for it after a day";
    INVOICE_DETAILS: "invoice_details", "it was last said, of an order that has no invoice", 30,
        "whom an invoice is to name is kept until the invoice names them, and nobody pays an order after longer";
    QUARANTINE: "feed_quarantine", "the event came", 90, "somebody mends its cause and applies it";
    CALLBACKS: "payment_callback", "the last of its kind", 3653,
        "records of payments are kept for ten years (Law 6102 art. 82)";
    INVOICE_KEYS: "invoice_key", "the end of its year", 3653,
        "invoices are kept for ten years (Law 6102 art. 82), and nobody can read them any more then";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_of_days_ends_so_many_days_ago() {
        let now = Timestamp::from_millis(1_790_000_000_000);
        assert_eq!(now.millis_since(MAILS.ends(now)), 90 * 24 * 3600 * 1000);
        assert_eq!(LINKS.ends(now), now);
        assert!(RULES.iter().all(|rule| rule.days >= 0 && !rule.why.is_empty()));
    }
}
