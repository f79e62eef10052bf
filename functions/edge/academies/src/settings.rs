//! What an academy decides about itself.

use akademi_api::{Academy, Body, Caller, Problem};
use akademi_domain::{
    academy::{Feature, PageLanguage, WebOrigin},
    colour::Colour,
    text,
    watch::RATE_LIMIT_PERCENT,
};
use akademi_edge_store::StoreError;
use akademi_identity::Origin;
use axum::extract::State;
use http::Uri;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

use crate::{
    Academies,
    store::{self, AcademyRow},
    target,
};

/// IANA's names by [`fnv1a`], in order, as the build script took them from their crate: without the rest of it.
const TIME_ZONES: &[u32] = &include!(concat!(env!("OUT_DIR"), "/time_zones.rs"));
const MAX_NAME: usize = 120;
const MAX_ORIGINS: usize = 20;
const MAX_URL: usize = 500;
/// How long a device stays signed in, in minutes: a quarter of an hour to a year.
const SESSION_MINUTES: std::ops::RangeInclusive<i64> = 15..=525_600;

/// The build script's hash: one name in nine million that is none passes.
fn fnv1a(name: &str) -> u32 {
    name.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[derive(Serialize, utoipa::ToSchema)]
pub struct Settings {
    slug: String,
    name: String,
    /// BCP 47: the language of whoever says nothing.
    locale: String,
    /// BCP 47: what pages can be read in.
    languages: Vec<String>,
    /// `#rrggbb`
    brand_colour: String,
    logo_url: Option<String>,
    /// IANA's name.
    time_zone: String,
    /// Other sites whose pages may call the API from a browser.
    origins: Vec<String>,
    /// What is switched on.
    features: BTreeMap<&'static str, bool>,
    /// Whether reviews wait for staff before others see them.
    reviews_need_approval: bool,
    /// The fastest playing of a video that counts, in percent of normal speed.
    watch_rate_percent: i64,
    session_idle_minutes: i64,
    session_absolute_minutes: i64,
    /// People there are, and the most there may be.
    people: i64,
    people_limit: Option<i64>,
    /// Bytes
    storage_limit: Option<i64>,
}

impl From<AcademyRow> for Settings {
    fn from(row: AcademyRow) -> Self {
        Self {
            slug: row.slug,
            name: row.name,
            locale: row.locale,
            languages: row.languages,
            brand_colour: row.brand_colour,
            logo_url: row.logo_url,
            time_zone: row.time_zone,
            origins: row.origins,
            features: Feature::ALL.iter().map(|one| (one.name(), !row.features_off.has(*one))).collect(),
            reviews_need_approval: row.reviews_need_approval,
            watch_rate_percent: row.watch_rate_percent,
            session_idle_minutes: row.session_idle_seconds / 60,
            session_absolute_minutes: row.session_absolute_seconds / 60,
            people: row.people,
            people_limit: row.people_limit,
            storage_limit: row.storage_limit,
        }
    }
}

/// What changes; what is absent stays.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SettingsChange {
    #[schema(min_length = 1, max_length = 120)]
    name: Option<String>,
    locale: Option<PageLanguage>,
    #[schema(min_items = 1)]
    languages: Option<Vec<PageLanguage>>,
    /// `#rrggbb`
    brand_colour: Option<String>,
    /// An https address, or null for none.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 500)]
    logo_url: Option<Option<String>>,
    /// IANA's name, as `Europe/Istanbul`.
    time_zone: Option<String>,
    #[schema(max_items = 20)]
    origins: Option<Vec<WebOrigin>>,
    features: Option<BTreeMap<Feature, bool>>,
    /// Whether reviews that are written or changed from now on wait for staff before others see them. What is shown stays
    /// shown, and what waits stays to be approved.
    reviews_need_approval: Option<bool>,
    /// The fastest playing of a video that counts, in percent of normal speed: 50 to 300.
    #[schema(minimum = 50, maximum = 300)]
    watch_rate_percent: Option<i64>,
    /// 15 to 525,600
    session_idle_minutes: Option<i64>,
    /// 15 to 525,600
    session_absolute_minutes: Option<i64>,
}

impl SettingsChange {
    /// `row` with the change made.
    fn apply(self, row: &mut AcademyRow) -> Result<(), Problem> {
        if let Some(name) = self.name {
            row.name = text::line(&name, MAX_NAME).map_err(|error| Problem::field("name", error))?;
        }
        if let Some(locale) = self.locale {
            row.locale = locale.name().to_owned();
        }
        if let Some(languages) = self.languages {
            row.languages = Vec::new();
            for language in languages {
                if !row.languages.iter().any(|one| one == language.name()) {
                    row.languages.push(language.name().to_owned());
                }
            }
        }
        if !row.languages.contains(&row.locale) {
            return Err(Problem::field("languages", "must hold the locale"));
        }
        if let Some(colour) = self.brand_colour {
            let colour: Colour = colour.parse().map_err(|error| Problem::field("brand_colour", error))?;
            row.brand_colour = colour.to_string();
        }
        if let Some(url) = self.logo_url {
            row.logo_url = url.map(https).transpose()?;
        }
        if let Some(zone) = self.time_zone {
            if TIME_ZONES.binary_search(&fnv1a(&zone)).is_err() {
                return Err(Problem::field("time_zone", "is not a name of IANA's"));
            }
            row.time_zone = zone;
        }
        if let Some(origins) = self.origins {
            if origins.len() > MAX_ORIGINS {
                return Err(Problem::field("origins", "are more than 20"));
            }
            row.origins = origins.iter().map(ToString::to_string).collect();
        }
        for (feature, on) in self.features.into_iter().flatten() {
            row.features_off =
                if on { row.features_off.without(feature) } else { row.features_off.with(feature) };
        }
        row.reviews_need_approval = self.reviews_need_approval.unwrap_or(row.reviews_need_approval);
        if let Some(percent) = self.watch_rate_percent {
            if !u32::try_from(percent).is_ok_and(|percent| RATE_LIMIT_PERCENT.contains(&percent)) {
                return Err(Problem::field("watch_rate_percent", "is not 50 to 300"));
            }
            row.watch_rate_percent = percent;
        }
        for (field, minutes, seconds) in [
            ("session_idle_minutes", self.session_idle_minutes, &mut row.session_idle_seconds),
            ("session_absolute_minutes", self.session_absolute_minutes, &mut row.session_absolute_seconds),
        ] {
            if let Some(minutes) = minutes {
                if !SESSION_MINUTES.contains(&minutes) {
                    return Err(Problem::field(field, "is not 15 to 525,600"));
                }
                *seconds = minutes * 60;
            }
        }
        Ok(())
    }
}

/// A field that is there, be it null.
fn given<'de, D: Deserializer<'de>>(field: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(field).map(Some)
}

/// An address of an image that pages may show.
fn https(url: String) -> Result<String, Problem> {
    let is_https = url.len() <= MAX_URL
        && url.bytes().all(|byte| byte.is_ascii_graphic())
        && url.parse::<Uri>().is_ok_and(|uri| uri.scheme_str() == Some("https") && uri.host().is_some());
    if is_https { Ok(url) } else { Err(Problem::field("logo_url", "is not an https address")) }
}

/// What the academy has decided, and what the platform allows it
#[utoipa::path(get, path = "/api/v1/academy/settings", tag = "academy",
    responses((status = 200, description = "The settings", body = Settings)))]
pub async fn show(State(academies): State<Academies>, caller: Caller) -> Result<Body<Settings>, Problem> {
    let row = store::find_academy(&academies.edge.tenant(caller.tenant)).await?;
    Ok(Body(row.ok_or_else(Problem::unknown_academy)?.into()))
}

/// Decide otherwise
///
/// Its public pages show it within a second. Devices that were signed in for longer than the new times are signed out.
#[utoipa::path(patch, path = "/api/v1/academy/settings", tag = "academy", request_body = SettingsChange,
    responses((status = 200, description = "The settings as they are now", body = Settings),
              (status = 409, description = "Somebody else changed them meanwhile", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json")))]
pub async fn change(
    State(academies): State<Academies>,
    academy: Academy,
    caller: Caller,
    origin: Origin,
    Body(change): Body<SettingsChange>,
) -> Result<Body<Settings>, Problem> {
    let database = academies.edge.tenant(caller.tenant);
    let before = store::find_academy(&database).await?.ok_or_else(Problem::unknown_academy)?;
    let mut after = before.clone();
    change.apply(&mut after)?;
    if after == before {
        return Ok(Body(after.into()));
    }
    let (was, is) = before.differences(&after);
    let change = json!({ "before": was, "after": is });
    let mut batch = vec![store::update_settings(&after)];
    batch.extend(academies.audited(&caller, &origin, "academy.changed", target(&academy), change).await?);
    batch.extend(store::tell_academy(academies.edge.ports.now()));
    match database.batch_if(store::academy_has_version(before.version), batch).await {
        Ok(_) => Ok(Body(after.into())),
        Err(StoreError::Guard) => Err(Problem::conflict()),
        Err(error) => Err(error.into()),
    }
}
