//! `akademi-journey --base http://umraniye.localhost:3000`

use akademi_journey::{Academy, walk};
use akademi_local::{api_client::ApiClient, demo, http_client::Network};
use anyhow::Context;
use clap::Parser;
use std::path::PathBuf;

/// Walks the learner's journey against whatever runs at a URL.
#[derive(Parser)]
struct Arguments {
    /// The academy's own address
    #[arg(long, default_value = "http://umraniye.localhost:3000")]
    base: String,
    /// Another academy of the same deployment
    #[arg(long, default_value = "http://kadikoy.localhost:3000")]
    other: String,
    #[arg(long, default_value = "yonetici@umraniye.example")]
    administrator: String,
    #[arg(long, default_value = "egitmen@umraniye.example")]
    instructor: String,
    /// A course as Open edX Studio exports it, with an MP4 among its files; the demo's own when none is named
    #[arg(long)]
    course: Option<PathBuf>,
    /// The password of both
    #[arg(long, default_value = demo::PASSWORD)]
    password: String,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let archive = match &arguments.course {
        Some(file) => std::fs::read(file).with_context(|| format!("reading {}", file.display()))?.into(),
        None => demo::archive(demo::ACADEMIES[0].course.context("the demo has no course")?).await?,
    };
    let http = Network::new();
    let academy = Academy {
        api: ApiClient::new(http.clone(), arguments.base),
        other: ApiClient::new(http, arguments.other),
        administrator: (arguments.administrator, arguments.password.clone()),
        instructor: (arguments.instructor, arguments.password),
        archive,
    };
    let report = walk(&academy).await;
    println!("{} passed, {} failed", report.passed(), report.failed());
    if report.failed() > 0 {
        std::process::exit(1);
    }
    Ok(())
}
