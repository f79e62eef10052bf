//! What happened, by owner. An event's shape never changes once released: a new shape is a new version. One that only lets
//! more be said reads the older ones too, from the version `since` which that is so.

use akademi_domain::{
    certificate::CertificateSerial,
    course::{CourseOutline, LessonBody, Requirement, Slug, Title, opening::Opening},
    ids::{
        AssetId, AuditId, BundleId, CouponId, CourseId, EnrolmentId, LessonId, LinkId, MailId, OrderId,
        TenantId, UserId,
    },
    mail::MailKind,
    money::Money,
    pricing::{BasisPoints, Coupon, CouponCode, Sale},
    quiz::Score,
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::{Decoded, Envelope, Record, Unreadable};

macro_rules! feed {
    ($(#[$doc:meta])* $enum:ident { $($(#[$kind_doc:meta])* $kind:ident, $name:literal, $version:literal $(since $oldest:literal)?
        { $($(#[$field_doc:meta])* $field:ident: $type:ty,)+ })+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $enum {
            $($(#[$kind_doc])* $kind { $($(#[$field_doc])* $field: $type,)+ },)+
        }

        impl $enum {
            /// The versions of each kind that are read: the oldest and the newest, which is written.
            const KNOWN: &[(&str, u32, u32)] = &[$(($name, [$($oldest,)? $version][0], $version)),+];

            const fn kind(&self) -> (&'static str, u32) {
                match self { $(Self::$kind { .. } => ($name, $version),)+ }
            }

            /// The event as it is stored.
            pub fn record(&self) -> Record {
                let (kind, version) = self.kind();
                // serde writes `{"kind": payload}`: what is stored is the payload alone.
                let payload = serde_json::to_value(self).ok();
                let payload = payload.as_ref().and_then(|tagged| tagged.get(kind)).map(ToString::to_string);
                Record { kind, version, payload: payload.unwrap_or_default() }
            }

            /// # Errors
            /// [`Unreadable`] when the kind is known and the payload is not of its shape.
            pub fn decode(envelope: &Envelope) -> Result<Decoded<Self>, Unreadable> {
                envelope.read(Self::KNOWN)
            }
        }
    };
}

feed! {
    /// What the edge owns and tells the Lambda plane.
    EdgeEvent {
        /// An academy's public face.
        AcademySaved, "academy_saved", 1 {
            id: TenantId,
            slug: String,
            name: String,
            locale: String,
            brand_colour: String,
            state: String,
            domains: Vec<String>,
            /// Bytes; without one there is no limit.
            storage_limit: Option<i64>,
            /// What the academy has switched off, one bit each (`akademi_domain::academy`).
            features_off: Option<u32>,
        }
        /// An academy's time of grace is over: its rows at the edge are gone.
        AcademyDeleted, "academy_deleted", 1 {
            at: Timestamp,
            /// Whether all of them are; else this was a step, and the next is asked for.
            whole: bool,
        }
        /// A person, as a sealed profile in hex; the key comes by a signed call of its own.
        PersonSaved, "person_saved", 1 {
            person: UserId,
            profile: String,
            state: String,
            at: Timestamp,
        }
        /// Somebody's personal data is destroyed: so is the receiver's, for good.
        PersonErased, "person_erased", 1 {
            person: UserId,
            at: Timestamp,
        }
        Enrolled, "enrolled", 1 {
            person: UserId,
            course: CourseId,
            enrolment: EnrolmentId,
            source: String,
            at: Timestamp,
        }
        /// Somebody may learn a course no longer. What they did in it stays.
        Unenrolled, "unenrolled", 1 {
            person: UserId,
            course: CourseId,
            enrolment: EnrolmentId,
            at: Timestamp,
        }
        /// Where a learner stands in a lesson; only the newest is kept while it waits.
        ProgressSaved, "progress_saved", 1 {
            person: UserId,
            course: CourseId,
            lesson: LessonId,
            seconds: i64,
            /// The covered share of a video, in thousandths.
            coverage_permille: u16,
            refused_seconds: i64,
            score: Option<Score>,
            completed_at: Option<Timestamp>,
            updated_at: Timestamp,
        }
        CourseCompleted, "course_completed", 1 {
            person: UserId,
            course: CourseId,
            enrolment: EnrolmentId,
            at: Timestamp,
        }
        /// Somebody is to get an e-mail. It carries no secret: the token of its link is derived from the link's id
        /// (`akademi_api::links`).
        MailWanted, "mail_wanted", 1 {
            mail: MailId,
            /// Whose key seals the recipient; perhaps not an account yet.
            person: UserId,
            kind: MailKind,
            /// `{"name": …, "email": …}`, sealed under the person's key as the field `mail`, in hex.
            recipient: String,
            /// Of the link that the kind has.
            link: Option<LinkId>,
            /// Of the academy that the link leads to, or that writes: no port.
            host: String,
            /// BCP 47: `tr` or `en`.
            locale: String,
            at: Timestamp,
        }
        /// Something that the audit log keeps: a write by staff, or a security event.
        Audited, "audited", 1 {
            id: AuditId,
            /// What was done, `noun.verb` in the past: `role.granted`, `sign_in.failed`.
            action: String,
            /// Who did it; nobody for what strangers do.
            actor: Option<UserId>,
            /// To what, `kind:id`: `person:…`, `role:…`.
            target: String,
            /// From where: `{"address": …, "device": …, "country": …}`, sealed under the key of the person who stands in
            /// `sealed_for` as the field `audit`, in hex. Empty when there is nobody to seal it for.
            origin: String,
            sealed_for: Option<UserId>,
            /// `{"before": …, "after": …}`, without personal data; secrets and sensitive fields masked.
            change: Option<serde_json::Value>,
            at: Timestamp,
        }
    }
}

feed! {
    /// What the Lambda plane owns and tells the edge.
    LambdaEvent {
        /// A lesson of a version that is on its way; seen once [`LambdaEvent::CoursePublished`] arrives.
        LessonPublished, "lesson_published", 2 since 1 {
            course: CourseId,
            version: i64,
            lesson: LessonId,
            title: String,
            duration_seconds: Option<u32>,
            requirement: Option<Requirement>,
            /// What the lesson's module waits for.
            #[serde(default)]
            opens: Option<Opening>,
            body: LessonBody,
            /// A [`akademi_domain::quiz::AnswerKey`] as JSON, which the edge keeps as it is: only who scores an attempt reads
            /// it, and carries what matches its patterns.
            answers: Option<serde_json::Value>,
            /// The lesson's own words, for search; markup removed.
            words: String,
        }
        /// The last event of a publication: readers see `version` from now on.
        CoursePublished, "course_published", 2 since 1 {
            version: i64,
            summary: String,
            outline: CourseOutline,
            /// Whose course it is.
            #[serde(default)]
            owner: Option<UserId>,
            at: Timestamp,
        }
        /// A playlist or list of small pictures of a video (RFC 8216, W3C WebVTT), seen once [`LambdaEvent::VideoReady`]
        /// names its folder.
        PlaylistMade, "playlist_made", 1 {
            asset: AssetId,
            /// What its path is below.
            folder: String,
            path: String,
            /// Its text, compressed (RFC 1951), in base64 (RFC 4648 §4).
            deflated: String,
        }
        /// A video plays: the last event of what was transcoded.
        VideoReady, "video_ready", 1 {
            asset: AssetId,
            course: CourseId,
            /// Where its files are in storage.
            folder: String,
            duration_ms: i64,
            /// The picture that stands for it, below the folder.
            poster: Option<String>,
        }
        /// Nobody new sees the course; who is enrolled keeps it.
        CourseWithdrawn, "course_withdrawn", 1 {
            course: CourseId,
        }
        /// What a course costs from now on, VAT inside.
        PriceSet, "price_set", 1 {
            course: CourseId,
            price: Money,
            vat_rate: BasisPoints,
            #[serde(default)]
            sale: Option<Sale>,
            /// What coupons may be for.
            #[serde(default)]
            categories: Vec<Slug>,
            at: Timestamp,
        }
        /// Courses that are sold together at one price, VAT inside; or no longer are.
        BundleSaved, "bundle_saved", 1 {
            id: BundleId,
            title: Title,
            courses: Vec<CourseId>,
            price: Money,
            sale: Option<Sale>,
            for_sale: bool,
            at: Timestamp,
        }
        /// A coupon's terms, and whether a use of it is left.
        CouponSaved, "coupon_saved", 1 {
            id: CouponId,
            code: CouponCode,
            terms: Coupon,
            available: bool,
            at: Timestamp,
        }
        /// Whether somebody has used a coupon as often as one may.
        CouponSpent, "coupon_spent", 1 {
            coupon: CouponId,
            person: UserId,
            spent: bool,
            at: Timestamp,
        }
        /// Whether a course has so many seats and no more, and whether one is left. It has a price.
        SeatsSet, "seats_set", 1 {
            course: CourseId,
            limited: bool,
            available: bool,
            at: Timestamp,
        }
        /// Which shop sells a course instead of the academy: its name and its page, both empty once the academy sells it.
        SoldElsewhereSet, "sold_elsewhere_set", 1 {
            course: CourseId,
            label: String,
            url: String,
        }
        /// A paid line of an order: the person may take the course.
        EnrolmentGranted, "enrolment_granted", 1 {
            person: UserId,
            course: CourseId,
            /// The id of the enrolment, should the person not be enrolled yet.
            enrolment: EnrolmentId,
            order: OrderId,
            at: Timestamp,
        }
        /// The money of a line went back: what the line gave is taken away, unless the person has the course otherwise.
        EnrolmentWithdrawn, "enrolment_withdrawn", 1 {
            person: UserId,
            course: CourseId,
            /// The one that was granted.
            enrolment: EnrolmentId,
            at: Timestamp,
        }
        /// A certificate that anybody who holds its serial may check.
        CertificateIssued, "certificate_issued", 1 {
            serial: CertificateSerial,
            person: UserId,
            course: CourseId,
            /// The course's title when it was completed.
            title: String,
            /// The holder's name when it was issued, sealed with the person's key as the field
            /// `certificate_holder`, in hex; empty when the person's data was erased before.
            holder: String,
            completed_at: Timestamp,
            issued_at: Timestamp,
        }
        /// The academy takes a certificate back, for good.
        CertificateRevoked, "certificate_revoked", 1 {
            serial: CertificateSerial,
            at: Timestamp,
        }
        /// People may sign in with this identity provider; its secrets stay with their owner.
        IdentityProviderSaved, "identity_provider_saved", 1 {
            /// As addresses name it.
            provider: String,
            /// As people read it.
            name: String,
            /// `oidc`, `facebook` or `edevlet`.
            kind: String,
        }
        /// … and no more.
        IdentityProviderRemoved, "identity_provider_removed", 1 {
            provider: String,
        }
        /// Somebody was erased: told again, in case the edge was restored from before.
        PersonErased, "person_erased", 1 {
            person: UserId,
            at: Timestamp,
        }
        /// It is night: what the academy need not keep any longer goes (`akademi_domain::retention`).
        RetentionDue, "retention_due", 1 {
            at: Timestamp,
        }
    }
}
