//! A real Chromium for tests, driven by WebDriver (W3C, "WebDriver"; "Web Authentication" §11 for its authenticators).
//!
//! Its few calls are JSON over HTTP, so they are made here: a client library would bring an HTTP stack of its own.

use akademi_worker_host::Group;
use anyhow::{Context, bail};
use serde_json::{Value, json};
use std::{process::Command, thread, time::Duration};
use tempfile::TempDir;

/// Debian's package `chromium-driver`; it finds the Chromium of `chromium` by itself.
const DRIVER: &str = "chromedriver";
/// How long one call may take: a browser starts within one.
const TIME: Duration = Duration::from_secs(60);
/// How often 50 ms pass before a driver that says nothing is given up.
const PATIENCE: u32 = 1200;
/// It calls nobody of its own accord, and runs as root too.
const ARGUMENTS: [&str; 8] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// A browser with one page, on a profile of its own. Dropping it ends it.
pub struct Browser {
    agent: ureq::Agent,
    /// The address of the session.
    session: String,
    // Before the folder, in which it writes as long as it runs.
    _driver: Group,
    _profile: TempDir,
}

/// What stands in for a device that keeps passkeys.
pub struct VirtualAuthenticator(String);

impl Browser {
    /// # Errors
    /// When there is no `chromedriver` or no Chromium, with what they said.
    pub fn start() -> anyhow::Result<Self> {
        let profile = tempfile::Builder::new().prefix("akademi-browser-").tempdir()?;
        let mut command = Command::new(DRIVER);
        command.arg("--port=0").env("HOME", profile.path()).env("TMPDIR", profile.path());
        let driver = Group::start(&command)?;
        let address = address(&driver)?;
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(TIME))
            .build()
            .new_agent();
        let own = [format!("--user-data-dir={}", profile.path().join("profile").display())];
        let arguments: Vec<&str> = ARGUMENTS.into_iter().chain(own.iter().map(String::as_str)).collect();
        let wanted = json!({ "browserName": "chrome", "goog:chromeOptions": { "args": arguments } });
        let started = call(
            &agent,
            &format!("{address}/session"),
            &json!({ "capabilities": { "alwaysMatch": wanted } }),
        )?;
        let id = started.get("sessionId").and_then(Value::as_str).context("the session has no id")?;
        let session = format!("{address}/session/{id}");
        Ok(Self { agent, session, _driver: driver, _profile: profile })
    }

    /// Goes to a page and waits until it is there.
    ///
    /// # Errors
    /// When nobody answers at this address.
    pub fn open(&self, address: &str) -> anyhow::Result<()> {
        self.call("url", &json!({ "url": address })).map(drop)
    }

    /// Runs `script`, the body of a function of `arguments`, in the page; what it returns, or the promise of it gives.
    ///
    /// # Errors
    /// When it throws, with what.
    pub fn run(&self, script: &str, arguments: &[&Value]) -> anyhow::Result<Value> {
        self.call("execute/sync", &json!({ "script": script, "args": arguments }))
    }

    /// Gives the machine an authenticator that keeps passkeys and verifies its owner.
    ///
    /// # Errors
    /// When the driver refuses.
    pub fn add_authenticator(&self) -> anyhow::Result<VirtualAuthenticator> {
        let wanted = json!({ "protocol": "ctap2", "transport": "internal", "hasResidentKey": true,
                             "hasUserVerification": true, "isUserVerified": true });
        let id = self.call("webauthn/authenticator", &wanted)?;
        Ok(VirtualAuthenticator(id.as_str().context("the authenticator has no id")?.to_owned()))
    }

    /// Whether the authenticator recognises its owner from now on.
    ///
    /// # Errors
    /// When the driver refuses.
    pub fn recognise_owner(
        &self,
        authenticator: &VirtualAuthenticator,
        recognises: bool,
    ) -> anyhow::Result<()> {
        let path = format!("webauthn/authenticator/{}/uv", authenticator.0);
        self.call(&path, &json!({ "isUserVerified": recognises })).map(drop)
    }

    fn call(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        call(&self.agent, &format!("{}/{path}", self.session), body)
    }
}

/// What the driver answers to a command.
fn call(agent: &ureq::Agent, address: &str, body: &Value) -> anyhow::Result<Value> {
    let mut answer = agent.post(address).content_type("application/json").send(body.to_string())?;
    let mut told: Value = serde_json::from_str(&answer.body_mut().read_to_string()?)?;
    let value = told.get_mut("value").map(Value::take).unwrap_or_default();
    if !answer.status().is_success() {
        let said = |field| value.get(field).and_then(Value::as_str).unwrap_or_default();
        bail!("{}: {}", said("error"), said("message"));
    }
    Ok(value)
}

/// The address in the driver's line `ChromeDriver was started successfully on port 32827.`
fn address(driver: &Group) -> anyhow::Result<String> {
    for _ in 0..PATIENCE {
        let output = driver.output().text();
        let port = output.split_once("successfully on port ").and_then(|(_, rest)| rest.split_once('.'));
        if let Some((port, _)) = port {
            return Ok(format!("http://127.0.0.1:{port}"));
        }
        thread::sleep(Duration::from_millis(50));
    }
    bail!("{DRIVER} (Debian's chromium-driver) does not start:\n{}", driver.output().text())
}
