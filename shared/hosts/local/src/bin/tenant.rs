//! `cargo xtask tenant`: what the platform's administrators do with academies, over HTTP; and the first of them.

use akademi_api::{
    Academy, Ports,
    caller::{AcademyHost, AcademyProfile},
    config::Config,
};
use akademi_domain::{
    academy::{Features, HostName},
    identity::EmailAddress,
    ids::TenantId,
    permission::Role,
};
use akademi_edge_store::{
    Platform, Statement, Value,
    operations::{NewAcademy, create_academy},
};
use akademi_functions::EDGE_MASTER_KEY;
use akademi_identity::{Invitation, Profile};
use akademi_local::{
    api_client::{Answer, ApiClient, JsonExt},
    http_client::Network,
    ports::{WriteLog, ports},
};
use akademi_seal::Vault;
use anyhow::{Context, bail};
use clap::{Parser, Subcommand};
use http::{Method, StatusCode};
use serde_json::{Value as Json, json};
use std::{fmt::Write, sync::Arc};

const ACADEMIES: &str = "/api/v1/platform/academies";

/// Looks after academies.
#[derive(Parser)]
#[command(name = "cargo xtask tenant", bin_name = "cargo xtask tenant")]
struct Arguments {
    /// The platform's own address, as https://platform.example
    #[arg(long, default_value = "http://platform.localhost:3000", global = true)]
    base: String,
    #[command(subcommand)]
    command: Command,
}

/// All but the last sign in with `AKADEMI_EMAIL` and `AKADEMI_PASSWORD`.
#[derive(Subcommand)]
enum Command {
    /// All academies
    List,
    /// Make one, and invite its administrator
    Create {
        slug: String,
        #[arg(long)]
        name: String,
        /// Where it answers from the start
        #[arg(long)]
        host: String,
        #[arg(long, default_value = "tr")]
        locale: String,
        #[arg(long, default_value = "#0b6e4f")]
        colour: String,
        /// Its administrator
        #[arg(long)]
        admin_name: String,
        #[arg(long)]
        admin_email: String,
    },
    /// Allow an academy so many people and bytes; what is not named has no limit
    Limit {
        slug: String,
        #[arg(long)]
        people: Option<u32>,
        #[arg(long)]
        storage: Option<u64>,
    },
    /// Have it answer no more
    Suspend { slug: String },
    /// Have it answer again
    Resume { slug: String },
    /// Have it answer no more, and delete it in 30 days
    Delete { slug: String },
    /// Have a deleted one back
    Restore { slug: String },
    /// Print the SQL that makes the platform itself in a new edge store and invites its first administrator, sealed with
    /// `EDGE_MASTER_KEY`
    Platform {
        #[arg(long)]
        host: HostName,
        #[arg(long)]
        name: String,
        #[arg(long)]
        admin_name: String,
        #[arg(long)]
        admin_email: String,
    },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let Arguments { base, command } = Arguments::parse();
    if let Command::Platform { host, name, admin_name, admin_email } = command {
        let administrator = Profile {
            name: admin_name.try_into().map_err(anyhow::Error::new)?,
            email: EmailAddress::parse(&admin_email)?,
        };
        print!("{}", platform(&host, &name, administrator)?);
        return Ok(());
    }
    let api = sign_in(&base).await?;
    let changed = match command {
        Command::List => return list(&api).await,
        Command::Create { slug, name, host, locale, colour, admin_name, admin_email } => {
            let body = json!({
                "slug": slug, "name": name, "host": host, "locale": locale, "brand_colour": colour,
                "administrator": { "name": admin_name, "email": admin_email },
            });
            api.post(ACADEMIES, &body).await?
        }
        Command::Limit { slug, people, storage } => {
            let limits = json!({ "people_limit": people, "storage_limit": storage });
            api.send_json(Method::PATCH, &path(&api, &slug).await?, &limits).await?
        }
        Command::Suspend { slug } => set_state(&api, &slug, "suspended").await?,
        Command::Resume { slug } => set_state(&api, &slug, "active").await?,
        Command::Delete { slug } => deletion(&api, Method::PUT, &slug).await?,
        Command::Restore { slug } => deletion(&api, Method::DELETE, &slug).await?,
        Command::Platform { .. } => return Ok(()),
    };
    if !changed.status.is_success() {
        bail!(refusal(&changed));
    }
    print_academy(&changed.json()?);
    Ok(())
}

/// What a problem document (RFC 9457) says, for a person.
fn refusal(answer: &Answer) -> String {
    let Ok(problem) = answer.json() else { return answer.status.to_string() };
    let mut said = problem.text("detail").or_else(|_| problem.text("title")).unwrap_or_default();
    for error in problem.get("errors").and_then(Json::as_array).into_iter().flatten() {
        let field = error.text("field").unwrap_or_default();
        said += &format!("\n  {field} {}", error.text("message").unwrap_or_default());
    }
    said
}

async fn sign_in(base: &str) -> anyhow::Result<ApiClient> {
    let variable = |name| std::env::var(name).with_context(|| format!("{name} is not set"));
    let api = ApiClient::new(Network::new(), base);
    api.sign_in(&variable("AKADEMI_EMAIL")?, &variable("AKADEMI_PASSWORD")?).await
}

/// All of them, page by page.
async fn academies(api: &ApiClient) -> anyhow::Result<Vec<Json>> {
    let mut all = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = api.get(&format!("{ACADEMIES}?limit=100{cursor}")).await?.expect(StatusCode::OK)?;
        all.extend(page.get("data").and_then(Json::as_array).cloned().unwrap_or_default());
        match page.get("next_cursor").and_then(Json::as_str) {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(all),
        }
    }
}

async fn list(api: &ApiClient) -> anyhow::Result<()> {
    for academy in academies(api).await? {
        print_academy(&academy);
    }
    Ok(())
}

fn print_academy(academy: &Json) {
    let field = |name: &str| match academy.get(name) {
        Some(Json::String(text)) => text.clone(),
        Some(Json::Null) | None => "-".to_owned(),
        Some(other) => other.to_string(),
    };
    println!(
        "{:<20} {:<10} {:>7} people of {:<7} delete at {:<25} {}",
        field("slug"),
        field("state"),
        field("people"),
        field("people_limit"),
        field("delete_at"),
        field("name"),
    );
}

/// An academy's own path.
async fn path(api: &ApiClient, slug: &str) -> anyhow::Result<String> {
    let found = academies(api).await?.into_iter().find(|academy| academy.get("slug") == Some(&json!(slug)));
    let id = found.with_context(|| format!("there is no academy {slug}"))?.text("id")?;
    Ok(format!("{ACADEMIES}/{id}"))
}

async fn set_state(api: &ApiClient, slug: &str, state: &str) -> anyhow::Result<Answer> {
    let path = format!("{}/state", path(api, slug).await?);
    api.send_json(Method::PUT, &path, &json!({ "state": state })).await
}

async fn deletion(api: &ApiClient, method: Method, slug: &str) -> anyhow::Result<Answer> {
    let path = format!("{}/deletion", path(api, slug).await?);
    api.send(method, &path, &[], bytes::Bytes::new()).await
}

/// The SQL that makes the platform and invites its first administrator.
fn platform(host: &HostName, name: &str, administrator: Profile) -> anyhow::Result<String> {
    let lookup = |name: &str| std::env::var(name.to_ascii_uppercase()).ok();
    let vault = Config::new(&lookup).read(EDGE_MASTER_KEY, Vault::from_config)?;
    let ports: Ports = ports(Arc::new(WriteLog::new(std::io::sink())));
    let now = ports.now();
    let new = NewAcademy {
        id: TenantId::new(now, ports.random()),
        slug: "platform",
        name,
        locale: "en",
        brand_colour: "#0b6e4f",
        hosts: &[host.as_str()],
    };
    let profile = AcademyProfile {
        slug: new.slug.into(),
        name: name.into(),
        locale: new.locale.into(),
        brand_colour: new.brand_colour.into(),
        origins: Vec::new(),
        features_off: Features::default(),
        watch_rate_percent: 200,
    };
    let academy = Academy { id: new.id, generation: 1, profile: Arc::new(profile) };
    let invitation = Invitation {
        academy: &academy,
        host: &AcademyHost(host.to_string()),
        profile: administrator,
        roles: Role::GlobalAdmin.name(),
    };
    let (_, invited) = invitation
        .send(&vault, &ports, now)
        .map_err(|problem| anyhow::anyhow!("{}", problem.cause().unwrap_or(problem.slug())))?;
    let mut statements = create_academy(&new, now);
    statements.extend(invited.into_iter().map(|statement| Platform::of_tenant(new.id, statement)));
    let mut script = String::new();
    for statement in statements {
        writeln!(script, "{};", literal(&statement))?;
    }
    Ok(script)
}

/// A statement with its parameters written out (SQLite, "Literal Values").
fn literal(statement: &Statement) -> String {
    let mut text = String::new();
    let mut rest = statement.sql;
    while let Some((before, after)) = rest.split_once('?') {
        let digits = after.len() - after.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
        let (number, after) = after.split_at(digits);
        text.push_str(before);
        let value =
            number.parse::<usize>().ok().and_then(|number| statement.params.get(number.checked_sub(1)?));
        match value {
            Some(Value::Null) | None => text.push_str("NULL"),
            Some(Value::Integer(number)) => text.push_str(&number.to_string()),
            Some(Value::Text(letters)) => text.push_str(&format!("'{}'", letters.replace('\'', "''"))),
            Some(Value::Blob(bytes)) => {
                let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
                text.push_str(&format!("X'{digits}'"));
            }
        }
        rest = after;
    }
    text + rest
}
