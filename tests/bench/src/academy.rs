//! The academy that the routes are measured on, made as in production: its courses, its learners' access and their
//! certificates come through the feed.

use akademi_api::{
    caller::Caller,
    signed::{CALL_HEADER, CallContext, PlaneKeys, Purpose},
    token::TokenSigner,
};
use akademi_domain::{
    certificate::CertificateSerial,
    identity::EmailAddress,
    ids::{CourseId, EnrolmentId, LessonId, OrderId, PlaybackId, SessionId, TenantId, UserId},
    permission::Role,
    time::Timestamp,
};
use akademi_edge_store::{
    Platform, Statement,
    operations::{NewAcademy, create_academy},
};
use akademi_feed::{Batch, Envelope, LambdaEvent, MAX_EVENTS};
use akademi_identity::password;
use akademi_process::{
    ports::{WriteLog, ports},
    secrets::{self, Variables},
};
use akademi_seal::{Nonce, PersonKey, Vault};
use anyhow::{Context, ensure};
use axum::{Router, body::Body};
use http::{Method, Request, StatusCode, Uri, header};
use rusqlite::Connection;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};
use tower::ServiceExt;

use crate::{courses, server, store};

pub const COURSES: u32 = 200;
pub const LEARNERS: u32 = 2_000;
/// Everybody's.
pub const PASSWORD: &str = "ölçüm için parola";
/// What the academy answers on.
pub const HOST: &str = "bench.localhost";

/// An academy in a folder of its own, and what it takes to be somebody there.
pub struct Academy {
    pub folder: PathBuf,
    tenant: TenantId,
    made: Timestamp,
    signer: TokenSigner,
    /// Everybody's, made once.
    password_hash: String,
}

impl Academy {
    /// Makes the academy in a folder of its own within `data`, in the place of the one before.
    ///
    /// # Errors
    /// When the folder cannot be written, or the store or the feed refuses.
    pub async fn create(data: &Path) -> anyhow::Result<Self> {
        let folder = data.join("academy");
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("emptying {}", folder.display()))?;
        }
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        let variables = secrets::load_or_create(&folder)?;
        let ports = ports(Arc::new(WriteLog::new(std::io::sink())));
        let made = ports.now();
        let (edge, functions) = server::edge(&folder, ports, &variables)?;
        let academy = Self {
            folder,
            tenant: TenantId::new(made, [1; 10]),
            made,
            signer: TokenSigner::from_config(variable(&variables, "token_signing_keys"))?,
            password_hash: password::hash(PASSWORD, [7; 16]).ok().context("hashing the password")?,
        };
        let new = NewAcademy {
            id: academy.tenant,
            slug: "bench",
            name: "Ölçüm Akademisi",
            locale: "tr",
            brand_colour: "#0b6e4f",
            hosts: &[HOST],
        };
        let platform = Platform::new(edge.database.as_ref());
        platform.batch(create_academy(&new, made)).await?;
        let vault = Vault::from_config(variable(&variables, "edge_master_key"))?;
        let people: Result<Vec<_>, _> =
            (0..LEARNERS).map(|number| academy.registration(number, &vault)).collect();
        platform.batch(people?.into_iter().flatten().collect()).await?;
        academy.publish(&functions, &variables).await?;
        Ok(academy)
    }

    /// What registration leaves of a learner.
    fn registration(&self, number: u32, vault: &Vault) -> anyhow::Result<[Statement; 3]> {
        let (person, key) = (self.learner(number), person_key(number));
        let email = email(number);
        let lookup = vault.email_lookup(self.tenant, &EmailAddress::parse(&email)?);
        let profile = format!(r#"{{"name":"{}","email":"{email}"}}"#, name(number));
        let sealed = key.seal(person, "profile", profile.as_bytes(), nonce(number));
        let wrapped = vault.wrap_key(self.tenant, person, &key, nonce(number));
        Ok([
            store::insert_person(self.tenant, person, lookup, &sealed, &self.password_hash, self.made),
            store::insert_person_key(self.tenant, person, &wrapped),
            store::assign_role(self.tenant, person, Role::Student),
        ])
    }

    /// The edge store in one file of its own at `path`, as it is now.
    ///
    /// # Errors
    /// When the file is there already, or cannot be written.
    pub fn copy_store(&self, path: &Path) -> anyhow::Result<()> {
        let store = Connection::open(self.folder.join("edge.sqlite"))?;
        store::copy_to(&store, path).with_context(|| format!("copying the store to {}", path.display()))
    }

    /// The deployment's secrets.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn variables(&self) -> anyhow::Result<Variables> {
        secrets::load_or_create(&self.folder)
    }

    /// Sends the events of all courses, enrolments and certificates as the other plane does.
    async fn publish(&self, functions: &Router, variables: &Variables) -> anyhow::Result<()> {
        let keys = PlaneKeys::from_config(variable(variables, "plane_root_keys"))?;
        let mut events = Vec::new();
        for course in 0..COURSES {
            events.extend(courses::publication(self.course(course), course, self.made)?);
        }
        for learner in 0..LEARNERS {
            events.push(LambdaEvent::EnrolmentGranted {
                person: self.learner(learner),
                course: self.course(course_of(learner)),
                enrolment: EnrolmentId::new(self.made, random(learner)),
                order: OrderId::new(self.made, random(learner)),
                at: self.made,
            });
            events.push(self.certificate(learner));
        }
        let mut from = 0;
        for some in events.chunks(MAX_EVENTS) {
            let envelopes: Vec<_> =
                (from + 1..).zip(some).map(|(number, event)| self.envelope(number, event)).collect();
            let to = envelopes.last().map_or(from, |last| last.number);
            let batch = Batch { source: "lambda:bench".into(), from, to, events: envelopes };
            self.send(functions, &keys, &batch).await?;
            from = to;
        }
        Ok(())
    }

    fn certificate(&self, learner: u32) -> LambdaEvent {
        let person = self.learner(learner);
        let holder = name(learner);
        let holder =
            person_key(learner).seal(person, "certificate_holder", holder.as_bytes(), nonce(learner));
        LambdaEvent::CertificateIssued {
            serial: serial(learner),
            person,
            course: self.course(course_of(learner)),
            title: "Işığın Yolculuğu".into(),
            holder: hex::encode(holder),
            completed_at: self.made,
            issued_at: self.made,
        }
    }

    fn envelope(&self, number: i64, event: &LambdaEvent) -> Envelope {
        let record = event.record();
        Envelope {
            number,
            tenant: self.tenant,
            kind: record.kind.to_owned(),
            version: record.version,
            payload: record.payload,
        }
    }

    async fn send(&self, functions: &Router, keys: &PlaneKeys, batch: &Batch) -> anyhow::Result<()> {
        let target = Uri::from_static("/internal/feed");
        let body = serde_json::to_vec(batch)?;
        let call = CallContext { request_id: "bench".into(), ..CallContext::default() };
        let signature = keys
            .sign(Purpose::Feed, &Method::POST, &target, &body, &call, self.made)
            .context("signing a batch of the feed")?;
        let request = Request::post(target)
            .header(header::CONTENT_TYPE, "application/json")
            .header(CALL_HEADER, signature)
            .body(Body::from(body))?;
        let response = functions.clone().oneshot(request).await?;
        ensure!(response.status() == StatusCode::OK, "the feed answered {}", response.status());
        Ok(())
    }

    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// The PHC string of [`PASSWORD`], which is everybody's.
    pub fn password_hash(&self) -> &str {
        &self.password_hash
    }

    pub fn course(&self, number: u32) -> CourseId {
        CourseId::new(self.made, random(number))
    }

    /// The video that everybody watches, in whichever course.
    pub fn video(&self) -> LessonId {
        courses::video(self.made)
    }

    pub fn learner(&self, number: u32) -> UserId {
        UserId::new(self.made, random(number))
    }

    /// A learner's only run of the player.
    pub fn playback(&self, learner: u32) -> PlaybackId {
        PlaybackId::new(self.made, random(learner))
    }

    /// An access token of a learner, good for 15 minutes from `now`.
    ///
    /// # Errors
    /// When `now` lies outside of what a token can say.
    pub fn token(&self, learner: u32, now: Timestamp) -> anyhow::Result<String> {
        let caller = Caller {
            tenant: self.tenant,
            user: self.learner(learner),
            session: SessionId::new(self.made, random(learner)),
            permissions: Role::Student.permissions(),
        };
        Ok(self.signer.sign(&caller, now, u128::from(learner).to_be_bytes())?)
    }
}

/// The course that a learner is enrolled in.
pub const fn course_of(learner: u32) -> u32 {
    learner % COURSES
}

/// The random part of the id of the entity with this number.
pub fn random(number: u32) -> [u8; 10] {
    let [a, b, c, d] = number.to_be_bytes();
    [0, 0, 0, 0, 0, 0, a, b, c, d]
}

/// The serial of a learner's certificate.
pub fn serial(learner: u32) -> CertificateSerial {
    CertificateSerial::new(u128::from(learner).to_be_bytes())
}

pub fn email(learner: u32) -> String {
    format!("ogrenci{learner}@example.org")
}

fn name(learner: u32) -> String {
    format!("Şükrü Iğdır {learner}")
}

fn person_key(learner: u32) -> PersonKey {
    let mut bytes = [7; 32];
    bytes.iter_mut().zip(learner.to_be_bytes()).for_each(|(byte, of_number)| *byte = of_number);
    PersonKey::from_bytes(bytes)
}

fn nonce(learner: u32) -> Nonce {
    let mut nonce = Nonce::default();
    nonce.iter_mut().zip(learner.to_be_bytes()).for_each(|(byte, of_number)| *byte = of_number);
    nonce
}

/// A secret of the deployment.
pub fn variable<'a>(variables: &'a Variables, name: &str) -> &'a str {
    variables.get(name).map_or("", String::as_str)
}
