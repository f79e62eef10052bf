//! The Lambda plane's events come in, and this database's go out.

use akademi_api::signed::Purpose;
use http::Method;
use serde_json::{Value, json};

use super::publications::publications;
use crate::{ask::Ask, recorder::Recorder};

const IN: &str = "POST /internal/feed";
const OUT: &str = "GET /internal/feed";
const KEYS: &str = "POST /internal/person-keys";

/// A signed call as `sync` makes it.
pub fn call(json: &Value, target: &str) -> Ask {
    Ask::json(Method::POST, target, json).signed(Purpose::Feed)
}

pub async fn feed(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let academy = r.umraniye.clone();
    let tenant = r.deployment.umraniye;
    let batch = publications(tenant);
    r.events = batch.to;
    let mut gap = publications(tenant);
    gap.from += 20;
    gap.to += 20;
    gap.events.iter_mut().for_each(|event| event.number += 20);
    r.good((IN, "publications"), &academy, call(&serde_json::to_value(batch)?, "/internal/feed")).await?;
    r.bad((IN, "with a gap"), &academy, call(&serde_json::to_value(gap)?, "/internal/feed")).await?;
    r.bad((IN, "no batch"), &academy, call(&json!({ "source": "x" }), "/internal/feed")).await?;

    let out = |query: &str| Ask::get(format!("/internal/feed{query}")).signed(Purpose::Feed);
    r.good((OUT, "from its beginning"), &academy, out("?after=0&source=lambda:parity")).await?;
    r.good((OUT, "a look"), &academy, out("")).await?;
    r.bad((OUT, "beyond its end"), &academy, out("?after=999")).await?;
    r.bad((OUT, "before its beginning"), &academy, out("?after=-1")).await?;

    let nobody = json!({ "people": [{ "tenant": tenant, "person": super::NOTHING }] });
    r.good((KEYS, "of nobody"), &academy, call(&nobody, "/internal/person-keys")).await?;
    let too_many = json!({ "people": vec![json!({ "tenant": tenant, "person": super::NOTHING }); 101] });
    r.bad((KEYS, "of too many"), &academy, call(&too_many, "/internal/person-keys")).await?;
    Ok(())
}
