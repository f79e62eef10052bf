//! What carrying learners' progress to PostgreSQL costs, beside the least: as many rows of the same table, upserted by `UNNEST`,
//! as many in a commit. PostgreSQL flushes each commit. The edge stands in this process and answers at once.

use akademi_api::{
    config::Config,
    ports::{HttpClient, Unreachable},
    signed::PlaneKeys,
};
use akademi_domain::{
    ids::{CourseId, LessonId, TenantId, UserId},
    time::Timestamp,
};
use akademi_feed::{Answer, Batch, EdgeEvent, Envelope, MAX_EVENTS, Record};
use akademi_lambda_store::{
    cluster::{Cluster, Durability},
    postgres::Postgres,
    provision::{LOGIN, provision},
};
use akademi_process::ports::{WriteLog, ports};
use akademi_sync::{Sync, Trigger};
use anyhow::{Context, ensure};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use serde::Serialize;
use std::{
    fs,
    path::Path,
    process,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{pinning::cpu_seconds, run::Totals};

const DATABASE: &str = "progress";
/// Each learner is in one lesson; the edge tells of all of them twice.
const LEARNERS: i64 = 20_000;
const ROUNDS: i64 = 2;
const AIM: &str = "at least 0.5";

/// An edge that has told of this, and waits to be asked.
struct Edge {
    /// JSON, by its place.
    answers: Vec<Bytes>,
}

impl HttpClient for Edge {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, Unreachable>> {
        let after = request.uri().query().and_then(|query| query.strip_prefix("after="));
        let after = after.and_then(|rest| rest.split('&').next()).and_then(|after| after.parse().ok());
        let place = after.unwrap_or(0_usize) / MAX_EVENTS;
        let answer = self.answers.get(place).cloned().ok_or_else(|| Unreachable("no such batch".into()));
        Box::pin(async { Ok(Response::new(answer?)) })
    }
}

/// Whose the feed's rows are.
fn tenant() -> TenantId {
    TenantId::new(Timestamp::from_millis(0), [1; 10])
}

/// Whose those of the bare upsert are, so that nobody goes through the other's.
fn bare_tenant() -> TenantId {
    TenantId::new(Timestamp::from_millis(0), [2; 10])
}

/// What makes an id that no other number has.
fn random(number: i64) -> [u8; 10] {
    let mut bytes = [0; 10];
    bytes[2..].copy_from_slice(&number.to_be_bytes());
    bytes
}

/// Event `number`, from 1.
fn event(number: i64, now: Timestamp) -> Envelope {
    let (learner, round) = ((number - 1) % LEARNERS, (number - 1) / LEARNERS);
    let epoch = Timestamp::from_millis(0);
    let record = EdgeEvent::ProgressSaved {
        person: UserId::new(epoch, random(learner)),
        course: CourseId::new(epoch, random(learner % 20)),
        lesson: LessonId::new(epoch, random(learner % 200)),
        seconds: 60 * (round + 1),
        coverage_permille: 100,
        refused_seconds: 0,
        score: None,
        completed_at: None,
        updated_at: now.plus_seconds(round),
    }
    .record();
    let Record { kind, version, payload } = record;
    Envelope { number, tenant: tenant(), kind: kind.to_owned(), version, payload }
}

/// All that the edge answers to who asks from the beginning on, and that there is no more.
fn answers(now: Timestamp) -> anyhow::Result<Vec<Bytes>> {
    let head = LEARNERS * ROUNDS;
    let size = i64::try_from(MAX_EVENTS)?;
    (0..=head / size)
        .map(|place| {
            let (from, to) = (place * size, ((place + 1) * size).min(head));
            let events = (from + 1..=to).map(|number| event(number, now)).collect();
            let batch = Batch { source: "edge:1".into(), from, to, events };
            Ok(serde_json::to_vec(&Answer { batch, head, cursor: 0 })?.into())
        })
        .collect()
}

#[derive(Debug, Serialize)]
struct Row {
    what: &'static str,
    rows_per_second: f64,
    /// To the bare upsert, or none.
    ratio: Option<f64>,
    /// CPU time of one in this process, PostgreSQL's not included.
    cpu_microseconds: f64,
    aim: &'static str,
}

impl Row {
    fn of(what: &'static str, wall: Duration, cpu: f64) -> Self {
        let rows = (LEARNERS * ROUNDS) as f64;
        let rows_per_second = rows / wall.as_secs_f64();
        Self { what, rows_per_second, ratio: None, cpu_microseconds: cpu * 1e6 / rows, aim: "" }
    }

    fn print(&self, json: bool) -> anyhow::Result<()> {
        if json {
            println!("{}", serde_json::to_string(self)?);
            return Ok(());
        }
        let ratio = self.ratio.map(|ratio| format!("{ratio:.3} × bare")).unwrap_or_default();
        println!(
            "{:<22}{:>9.0} rows/s   {:>6.1} µs of our CPU   {ratio:<15}{}",
            self.what, self.rows_per_second, self.cpu_microseconds, self.aim
        );
        Ok(())
    }
}

/// Measures both and prints a line for each, on a PostgreSQL in this folder.
///
/// # Errors
/// When PostgreSQL does not start, or not all arrives.
pub async fn run(folder: &Path, json: bool) -> anyhow::Result<Totals> {
    let folder = &std::env::current_dir()?.join(folder).join("progress");
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder)?;
    let cluster = Cluster::start(folder, Durability::Durable)?;
    provision(&cluster, DATABASE).await.context("migrating PostgreSQL")?;
    let postgres = Postgres::new(cluster.options(LOGIN, DATABASE), 1);
    let outcome = rows(&postgres, json).await;
    postgres.close().await;
    cluster.stop()?;
    fs::remove_dir_all(folder).context("removing the folder")?;
    outcome
}

#[allow(clippy::disallowed_methods, reason = "time is what is measured here")]
async fn rows(postgres: &Postgres, json: bool) -> anyhow::Result<Totals> {
    let ports = ports(Arc::new(WriteLog::new(std::io::sink())));
    let now = ports.now();
    let (started, cpu_before) = (Instant::now(), cpu_seconds(process::id())?);
    for batch in 0..LEARNERS * ROUNDS / i64::try_from(MAX_EVENTS)? {
        upsert_bare(postgres, batch, now).await?;
    }
    let bare = Row::of("UNNEST upsert", started.elapsed(), cpu_seconds(process::id())? - cpu_before);
    bare.print(json)?;

    let key = |byte: u8| URL_SAFE_NO_PAD.encode([byte; 32]);
    let root = format!("k1:{}", key(2));
    let lookup = |name: &str| match name {
        "edge_url" => Some("http://edge.test".to_owned()),
        "lambda_master_key" => Some(key(3)),
        _ => None,
    };
    let edge = Arc::new(Edge { answers: answers(now)? });
    let planes = Arc::new(PlaneKeys::from_config(&root)?);
    let sync = Sync::new(ports, planes, postgres.clone(), edge, &Config::new(&lookup))?;
    let (started, cpu_before) = (Instant::now(), cpu_seconds(process::id())?);
    let carried = sync.handle(Trigger::Wake).await?;
    let feed = Row::of("feed", started.elapsed(), cpu_seconds(process::id())? - cpu_before);
    let ratio = Some(feed.rows_per_second / bare.rows_per_second);
    Row { ratio, aim: AIM, ..feed }.print(json)?;

    let mut tx = postgres.tenant(tenant()).await?;
    let found: (i64, i64, i64) = sqlx::query_as(
        "SELECT count(*), sum(seconds)::bigint, (SELECT sum(seconds)::bigint FROM watched_day) FROM progress_summary",
    )
    .fetch_one(tx.connection())
    .await?;
    tx.rollback().await?;
    let watched = LEARNERS * ROUNDS * 60;
    ensure!(carried.pulled as i64 == LEARNERS * ROUNDS, "{} events were carried", carried.pulled);
    ensure!(found == (LEARNERS, watched, watched), "the database holds {found:?}");
    Ok(Totals { passed: 1, failed: 0 })
}

/// As many rows as a batch of the feed has, and nothing else.
async fn upsert_bare(postgres: &Postgres, batch: i64, now: Timestamp) -> anyhow::Result<()> {
    let size = i64::try_from(MAX_EVENTS)?;
    let numbers: Vec<i64> = (batch * size..(batch + 1) * size).map(|number| number % LEARNERS).collect();
    let epoch = Timestamp::from_millis(0);
    let mut tx = postgres.tenant(bare_tenant()).await?;
    sqlx::query(
        "INSERT INTO progress_summary (tenant_id, user_id, lesson_id, course_id, seconds, permille, updated_at)
         SELECT $1, user_id, lesson_id, course_id, seconds, 100, $6
         FROM UNNEST($2::uuid[], $3::uuid[], $4::uuid[], $5::bigint[]) AS told (user_id, lesson_id, course_id, seconds)
         ON CONFLICT (tenant_id, user_id, lesson_id) DO UPDATE SET seconds = excluded.seconds,
         permille = excluded.permille, updated_at = excluded.updated_at",
    )
    .bind(tx.tenant().as_uuid())
    .bind(numbers.iter().map(|n| UserId::new(epoch, random(*n)).as_uuid()).collect::<Vec<_>>())
    .bind(numbers.iter().map(|n| LessonId::new(epoch, random(n % 200)).as_uuid()).collect::<Vec<_>>())
    .bind(numbers.iter().map(|n| CourseId::new(epoch, random(n % 20)).as_uuid()).collect::<Vec<_>>())
    .bind(vec![60 + batch; numbers.len()])
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(tx.commit().await?)
}
