//! The real provider: a process of its own, and what people do at its forms.

use akademi_worker_host::Tools;
use bytes::Bytes;
use http::{Request, header};
use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Stdio},
};

use crate::{
    browser::Browser,
    world::{CLIENT_ID, CLIENT_SECRET},
};

pub struct OpenId {
    pub issuer: String,
    process: Child,
}

impl Drop for OpenId {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl OpenId {
    pub fn start(redirect_uri: &str) -> Self {
        let tools = Tools::install().unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("provider/openid.mjs");
        let mut process = std::process::Command::new("node")
            .arg(script)
            .env("PATH", tools.path())
            .envs([
                ("CLIENT_ID", CLIENT_ID),
                ("CLIENT_SECRET", CLIENT_SECRET),
                ("REDIRECT_URI", redirect_uri),
            ])
            .env("MODULES", tools.modules())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let issuer = lines.next().expect("the provider has started").unwrap();
        // What else it says goes nowhere.
        std::thread::spawn(move || lines.for_each(drop));
        Self { issuer, process }
    }

    /// Signs in and consents at the provider's forms; where it sends the browser then.
    pub async fn sign_in(&self, browser: &Browser, address: &str, who: &str) -> String {
        let mut address = address.to_owned();
        for _ in 0..12 {
            let path = address.strip_prefix(&self.issuer).map(str::to_owned);
            // Relative ones are of the provider too.
            let path = path.or_else(|| address.starts_with('/').then(|| address.clone()));
            let Some(path) = path else { return address };
            let page = if path.starts_with("/interaction/") {
                let page = browser.get(&format!("{}{path}", self.issuer)).await;
                let is_login = String::from_utf8_lossy(&page.body).contains("name=\"login\"");
                let mut form = form_urlencoded::Serializer::new(String::new());
                if is_login {
                    form.extend_pairs([("prompt", "login"), ("login", who), ("password", "any")]);
                } else {
                    form.extend_pairs([("prompt", "consent")]);
                }
                let request = Request::post(format!("{}{path}", self.issuer))
                    .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                    .body(Bytes::from(form.finish()));
                browser.send(request.unwrap()).await
            } else {
                browser.get(&format!("{}{path}", self.issuer)).await
            };
            assert!((300..400).contains(&page.status), "{path}: {page:?}");
            address = page.location();
        }
        panic!("the provider does not let go: {address}");
    }
}
