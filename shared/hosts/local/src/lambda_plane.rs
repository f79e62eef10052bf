//! The Lambda plane in one process: all its functions as one router, and `sync` running beside it.

use akademi_api::{Ports, config::Config, ports::HttpClient, signed::PlaneKeys};
use akademi_audit::Audit;
use akademi_authoring::Authoring;
use akademi_certificates::Certificates;
use akademi_domain::time::Day;
use akademi_etl::{Etl, ScheduleEvent};
use akademi_functions::Variable;
use akademi_identity_providers::Identity;
use akademi_images::Images;
use akademi_invoices::{FileDrop, Invoices};
use akademi_lambda_store::{audit::Auditor, objects::Objects, postgres::Postgres, signed_url::LinkSigner};
use akademi_mail::{Mail, Mailer};
use akademi_payments::Payments;
use akademi_sync::{Carried, Sync, SyncError, Trigger, Wake};
use axum::Router;
use std::{sync::Arc, time::Duration};
use tokio::{sync::Notify, task::JoinHandle};

use crate::{http_client::Network, storage::Folder, workers::Bell};

/// How long after midnight the day before is derived: by then `sync` has carried what it left behind.
const AFTER_MIDNIGHT_SECONDS: i64 = 5 * 60;

/// How often a night is run at most, if some academies fail.
const MAX_RUNS_OF_A_NIGHT: u32 = 5;

/// Which nights were run.
#[derive(Default)]
struct Nights {
    /// The day after midnight, and how often its night was run; all of it, once one run broke nowhere.
    last: Option<(Day, u32)>,
}

impl Nights {
    fn is_due(&self, today: Day) -> bool {
        self.last.is_none_or(|(day, runs)| day != today || runs < MAX_RUNS_OF_A_NIGHT)
    }

    fn ran(&mut self, today: Day, whole: bool) {
        let before = self.last.map_or(0, |(day, runs)| if day == today { runs } else { 0 });
        self.last = Some((today, if whole { MAX_RUNS_OF_A_NIGHT } else { before + 1 }));
    }
}

/// Where identity providers may answer on this machine, as a developer's own do.
const TRUSTED_PROVIDERS: Variable = Variable {
    name: "trusted_identity_providers",
    secret: false,
    meaning: "hosts of identity providers of this machine, `host` or `host:port`, comma-separated",
};

/// The plane's functions and its sync.
pub struct LambdaPlane {
    pub router: Router,
    /// What payment providers call, which no academy's host forwards.
    pub callbacks: Router,
    pub sync: Sync,
    pub payments: Payments,
    pub etl: Etl,
    pub invoices: Invoices,
    pub authoring: Authoring,
    pub storage: Folder,
    /// Rings when a job has been queued.
    pub bell: Arc<Bell>,
    mail: Mail,
    wake: Arc<WakeUp>,
    mail_wake: Arc<WakeUp>,
}

/// How often `mail` looks for mail that is due without being woken: a second attempt comes after seconds.
const MAIL_INTERVAL: Duration = Duration::from_secs(1);

/// How often `invoices` looks for what is due.
const INVOICE_INTERVAL: Duration = Duration::from_secs(1);

/// Wakes a loop of this process.
#[derive(Default)]
pub struct WakeUp(Notify);

impl Wake for WakeUp {
    fn wake(&self) {
        self.0.notify_one();
    }
}

impl LambdaPlane {
    /// `edge` reaches the edge's feed function at the variable `edge_url`; links to `objects` begin with `storage_url`. Mail
    /// leaves through `mailer`; its links name the port on which academies of this machine answer, if there is one.
    ///
    /// # Errors
    /// When a variable is missing or wrong.
    pub fn new(
        ports: &Ports,
        postgres: Postgres,
        edge: Arc<dyn HttpClient>,
        objects: Objects,
        (mailer, port): (Arc<dyn Mailer>, Option<u16>),
        config: &Config<'_>,
    ) -> anyhow::Result<Self> {
        let planes = Arc::new(config.read(akademi_functions::PLANE_ROOT_KEYS, PlaneKeys::from_config)?);
        let (wake, mail_wake) = (Arc::new(WakeUp::default()), Arc::new(WakeUp::default()));
        let sync = Sync::new(ports.clone(), planes.clone(), postgres.clone(), edge, config)?
            .waking_mail(mail_wake.clone());
        let mail = Mail::new(ports.clone(), postgres.clone(), mailer, mail_wake.clone(), config)?;
        let mail = port.into_iter().fold(mail, Mail::with_local_port);
        let payments = Payments::new(
            ports.clone(),
            planes.clone(),
            postgres.clone(),
            Network::new(),
            wake.clone(),
            config,
        )?;
        let certificates = Certificates::new(
            ports.clone(),
            planes.clone(),
            postgres.clone(),
            objects.clone(),
            wake.clone(),
            config,
        )?;
        let audit = Audit::new(ports.clone(), planes.clone(), postgres.clone(), config)?;
        let identity = Identity::new(ports.clone(), planes.clone(), postgres.clone(), wake.clone(), config)?;
        // Mostly there are none.
        let trusted = config.read(TRUSTED_PROVIDERS, |text| text.parse::<String>()).unwrap_or_default();
        let identity = identity.trusting(&trusted.split(',').map(str::trim).collect::<Vec<_>>());
        let auditor = Auditor::from_config(ports.clone(), config)?;
        let etl = Etl::new(ports.clone(), planes.clone(), postgres.clone(), auditor.clone(), objects.clone())
            .waking(wake.clone());
        let integrator = Arc::new(FileDrop(objects.clone()));
        let invoices = Invoices::new(ports.clone(), planes.clone(), postgres.clone(), integrator, config)?;
        let images = Images::new(ports.clone(), planes.clone(), postgres.clone(), objects.clone(), config)?;
        let storage = Folder { objects, links: LinkSigner::from_config(config)? };
        let bell = Arc::new(Bell::default());
        let authoring =
            Authoring::new(ports.clone(), planes, postgres, storage.storage(), bell.clone(), auditor)
                .waking(wake.clone())
                .scanning(config)?;
        let router = akademi_sync::router(sync.clone(), wake.clone())
            .merge(akademi_audit::router(audit))
            .merge(akademi_authoring::router(authoring.clone()))
            .merge(akademi_identity_providers::router(identity))
            .merge(akademi_images::router(images))
            .merge(akademi_invoices::router(invoices.clone()))
            .merge(akademi_mail::router(mail.clone()))
            .merge(akademi_payments::router(payments.clone()))
            .merge(akademi_certificates::router(certificates))
            .merge(akademi_etl::router(etl.clone()));
        let callbacks = akademi_payments::callbacks(payments.clone());
        Ok(Self {
            router,
            callbacks,
            sync,
            payments,
            etl,
            authoring,
            storage,
            bell,
            invoices,
            mail,
            wake,
            mail_wake,
        })
    }

    /// Ends orders that nobody paid in time, asks about payments, goes on with refunds and reads providers' reports, every
    /// minute, until the task is aborted.
    pub fn run_payments(&self, ports: Ports) -> JoinHandle<()> {
        let payments = self.payments.clone();
        tokio::spawn(async move {
            let mut minute = tokio::time::interval(Duration::from_secs(60));
            loop {
                minute.tick().await;
                let expired = payments.expire_orders(ports.now()).await;
                let asked = payments.ask_about_attempts(ports.now()).await;
                let resolved = payments.resolve_refunds(ports.now()).await;
                let reconciled = payments.reconcile(ports.now()).await;
                let errors = [expired.err(), asked.err(), resolved.err(), reconciled.err()];
                for error in errors.into_iter().flatten() {
                    let line = serde_json::json!({
                        "at": ports.now(), "function": "payments", "level": "error", "cause": error.to_string(),
                    });
                    ports.log.line(&line.to_string());
                }
            }
        })
    }

    /// Derives the reports of the days that are due: now, and each night after midnight in Istanbul, until the task is
    /// aborted. It looks at the clock every minute, since a machine that sleeps loses count of hours; a night in which
    /// something failed is run again then, five times in all.
    pub fn run_reports(&self, ports: Ports) -> JoinHandle<()> {
        let etl = self.etl.clone();
        tokio::spawn(async move {
            let mut minute = tokio::time::interval(Duration::from_secs(60));
            let mut nights = Nights::default();
            loop {
                minute.tick().await;
                let today = ports.now().plus_seconds(-AFTER_MIDNIGHT_SECONDS).day_in_istanbul();
                if !nights.is_due(today) {
                    continue;
                }
                let line = match etl.handle(ScheduleEvent::default()).await {
                    Ok(night) => {
                        nights.ran(today, night.failures.is_empty());
                        let level = if night.failures.is_empty() { "info" } else { "error" };
                        serde_json::json!({ "at": ports.now(), "function": "etl", "level": level, "night": night })
                    }
                    Err(error) => serde_json::json!({
                        "at": ports.now(), "function": "etl", "level": "error", "cause": error.to_string(),
                    }),
                };
                ports.log.line(&line.to_string());
            }
        })
    }

    /// Issues invoices and hands them over, every second, until the task is aborted.
    pub fn run_invoices(&self, ports: Ports) -> JoinHandle<()> {
        let invoices = self.invoices.clone();
        tokio::spawn(async move {
            let mut second = tokio::time::interval(INVOICE_INTERVAL);
            loop {
                second.tick().await;
                if let Err(error) = invoices.run_due(|| true).await {
                    let line = serde_json::json!({
                        "at": ports.now(), "function": "invoices", "level": "error", "cause": error.to_string(),
                    });
                    ports.log.line(&line.to_string());
                }
            }
        })
    }

    /// Sends mail whenever it is woken, and every second, until the task is aborted.
    pub fn run_mail(&self, ports: Ports) -> JoinHandle<()> {
        let (mail, wake) = (self.mail.clone(), self.mail_wake.clone());
        tokio::spawn(async move {
            loop {
                let _ = tokio::time::timeout(MAIL_INTERVAL, wake.0.notified()).await;
                if let Err(error) = mail.deliver_due(|| true).await {
                    let line = serde_json::json!({
                        "at": ports.now(), "function": "mail", "level": "error", "cause": error.to_string(),
                    });
                    ports.log.line(&line.to_string());
                }
            }
        })
    }

    /// Runs sync whenever it is woken, and every `interval`, until the task is aborted. PostgreSQL is awake here, so
    /// each run looks at both directions: a wake that was lost costs an interval and nothing else.
    pub fn run_sync(&self, ports: Ports, interval: Duration) -> JoinHandle<()> {
        let (sync, wake) = (self.sync.clone(), self.wake.clone());
        tokio::spawn(async move {
            loop {
                // Woken or not, there may be something to carry.
                let _ = tokio::time::timeout(interval, wake.0.notified()).await;
                log_run(&ports, sync.handle(Trigger::Wake).await);
            }
        })
    }
}

/// One line for a run that carried something or failed.
fn log_run(ports: &Ports, run: Result<Carried, SyncError>) {
    let line = match run {
        Ok(Carried { pulled: 0, pushed: 0 }) => return,
        Ok(Carried { pulled, pushed }) => {
            serde_json::json!({ "at": ports.now(), "function": "sync", "pulled": pulled, "pushed": pushed })
        }
        Err(error) => {
            serde_json::json!({ "at": ports.now(), "function": "sync", "level": "error", "cause": error.to_string() })
        }
    };
    ports.log.line(&line.to_string());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_night_that_failed_is_run_again_a_bounded_number_of_times() {
        let (today, tomorrow) = (Day::from_epoch_days(20_778), Day::from_epoch_days(20_779));
        let mut nights = Nights::default();
        let mut runs = 0;
        while nights.is_due(today) {
            nights.ran(today, false);
            runs += 1;
        }
        assert_eq!(runs, MAX_RUNS_OF_A_NIGHT);
        assert!(nights.is_due(tomorrow));
        nights.ran(tomorrow, false);
        assert!(nights.is_due(tomorrow));
        nights.ran(tomorrow, true);
        assert!(!nights.is_due(tomorrow));
    }
}
