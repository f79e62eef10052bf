//! Staff's view of people, and roles.

use akademi_local::api_client::JsonExt;
use anyhow::Context;
use http::Method;
use serde_json::{Value, json};

use super::NOTHING;
use crate::{ask::Ask, kind::Kind, recorder::Recorder};

const LIST: &str = "GET /api/v1/people";
const INVITE: &str = "POST /api/v1/people/invitations";
const EXPORT: &str = "GET /api/v1/people.csv";
const IMPORT: &str = "POST /api/v1/people/import";
const SHOW: &str = "GET /api/v1/people/{person_id}";
const SET_ROLES: &str = "PUT /api/v1/people/{person_id}/roles";
const SET_STATE: &str = "PUT /api/v1/people/{person_id}/state";
const SIGN_INS: &str = "GET /api/v1/people/{person_id}/sessions";
const SIGN_OUT: &str = "DELETE /api/v1/people/{person_id}/sessions";
const ROLES: &str = "GET /api/v1/roles";
const DEFINE: &str = "POST /api/v1/roles";
const CHANGE: &str = "PUT /api/v1/roles/{role_id}";
const DELETE: &str = "DELETE /api/v1/roles/{role_id}";

pub async fn people(r: &mut Recorder<'_>) -> anyhow::Result<()> {
    let (staff, list) = (r.staff.clone(), "/api/v1/people");
    // The administrator of this deployment has no key, and so no profile: only others are asked for.
    let query = "?role=instructor";
    let found =
        r.turkish((LIST, "the invited teacher"), &staff, Ask::get(format!("{list}{query}"))).await?.json()?;
    let teacher = found.pointer("/data/0").context("nobody has come by the invitation")?.text("id")?;
    r.good((LIST, "by role"), &staff, Ask::get(format!("{list}{query}"))).await?;
    r.paged(LIST, &staff, list, "").await?;
    r.bad((LIST, "in no state"), &staff, Ask::get(format!("{list}?state=asleep"))).await?;
    r.bad((LIST, "no address"), &staff, Ask::get(format!("{list}?email=a"))).await?;

    let invite = |email: &str, roles: &[&str]| {
        let body = json!({ "name": "Gülşen Işıklı", "email": email, "roles": roles });
        Ask::post("/api/v1/people/invitations", &body)
    };
    r.good((INVITE, "invite"), &staff, invite("gulsen@example.org", &["instructor"])).await?;
    r.turkish((INVITE, "once more"), &staff, invite("gulsen@example.org", &["student"])).await?;
    r.bad((INVITE, "who has an account"), &staff, invite("sukru@example.org", &[])).await?;
    r.bad((INVITE, "to no role"), &staff, invite("a@example.org", &["müdür"])).await?;
    r.bad((INVITE, "to the platform's role"), &staff, invite("a@example.org", &["global_admin"])).await?;

    r.turkish((LIST, "by the beginning of a name"), &staff, Ask::get(format!("{list}?name=%C3%B6%C4%9Fret")))
        .await?;
    r.send(Kind::Good, (LIST, "without Turkish letters"), &staff, &Ask::get(format!("{list}?name=OGR")))
        .await?;
    r.send(Kind::Good, (LIST, "by three words"), &staff, &Ask::get(format!("{list}?name=ogr+ayse+su")))
        .await?;
    r.bad((LIST, "by one letter"), &staff, Ask::get(format!("{list}?name=a"))).await?;

    // What somebody was found by goes with the name, even for the same one.
    let learner = r.learner()?;
    let name = learner.get("/api/v1/users/me").await?.json()?.text("name")?;
    let rename = Ask::json(Method::PATCH, "/api/v1/users/me", &json!({ "name": name }));
    r.send(Kind::Good, ("PATCH /api/v1/users/me", "found by name before"), &learner, &rename).await?;

    // Times differ from host to host: what is compared has nobody in it.
    let sheet = "/api/v1/people.csv";
    r.good((EXPORT, "nobody"), &staff, Ask::get(format!("{sheet}?role={NOTHING}"))).await?;
    r.bad((EXPORT, "in no state"), &staff, Ask::get(format!("{sheet}?state=asleep"))).await?;
    r.bad((EXPORT, "made-up cursor"), &staff, Ask::get(format!("{sheet}?cursor=abc"))).await?;
    let import = |query: &str, csv: &str| {
        Ask::new(Method::POST, format!("/api/v1/people/import{query}")).body("text/csv", csv.to_owned())
    };
    let rows = "\u{feff}e-mail;name;roles\r\nışık@ornek.org;Işık Çağ;\r\nnergis@example.org;Nergis Öz;student\r\n\
                sukru@example.org;Şükrü;\r\nnergis@example.org;Nergis;\r\na@example.org;A;müdür\r\n";
    r.send(Kind::Good, (IMPORT, "only tell"), &staff, &import("?dry_run=true", rows)).await?;
    r.good((IMPORT, "import"), &staff, import("", rows)).await?;
    r.turkish((IMPORT, "the same again"), &staff, import("", rows)).await?;
    r.bad((IMPORT, "without addresses"), &staff, import("", "name\r\nAli\r\n")).await?;
    r.bad((IMPORT, "nothing"), &staff, import("", "")).await?;
    let json = Ask::post("/api/v1/people/import", &json!({}));
    r.bad((IMPORT, "JSON"), &staff, json).await?;

    let path = format!("{list}/{teacher}");
    r.good((SHOW, "the teacher"), &staff, Ask::get(&path)).await?;
    r.turkish((SHOW, "the teacher's name"), &staff, Ask::get(&path)).await?;
    r.bad((SHOW, "nobody"), &staff, Ask::get(format!("{list}/{NOTHING}"))).await?;
    roles(r, &path).await?;
    r.good((SIGN_INS, "of the teacher"), &staff, Ask::get(format!("{path}/sessions"))).await?;
    r.bad((SIGN_INS, "of nobody"), &staff, Ask::get(format!("{list}/{NOTHING}/sessions"))).await?;
    let learner = r.learner()?.get("/api/v1/users/me").await?.json()?.text("id")?;
    r.paged(SIGN_INS, &staff, &format!("{list}/{learner}/sessions"), "").await?;
    r.good((SIGN_OUT, "the teacher"), &staff, Ask::new(Method::DELETE, format!("{path}/sessions"))).await?;
    let nobody = Ask::new(Method::DELETE, format!("{list}/{NOTHING}/sessions"));
    r.bad((SIGN_OUT, "nobody"), &staff, nobody).await?;
    Ok(())
}

async fn roles(r: &mut Recorder<'_>, person: &str) -> anyhow::Result<()> {
    let (staff, path) = (r.staff.clone(), "/api/v1/roles");
    let body = |name: &str, permissions: &[&str]| json!({ "name": name, "permissions": permissions });
    let define = |name: &str, permissions: &[&str]| Ask::post(path, &body(name, permissions));
    let defined = r.good((DEFINE, "define"), &staff, define("Editör", &["courses:write"])).await?.json()?;
    r.turkish((DEFINE, "the same name"), &staff, define("Editör", &[])).await?;
    r.bad((DEFINE, "for the platform"), &staff, define("Platform", &["platform:write"])).await?;
    r.bad((DEFINE, "of no permission that there is"), &staff, define("Hiç", &["nothing:do"])).await?;
    r.good((ROLES, "all"), &staff, Ask::get(path)).await?;
    r.bad((ROLES, "made-up token"), &r.umraniye.signed_in("abc"), Ask::get(path)).await?;

    let id = defined.text("id")?;
    let one = format!("{path}/{id}");
    let change =
        |path: &str, name: &str| Ask::json(Method::PUT, path, &body(name, &["courses:write", "people:read"]));
    r.good((CHANGE, "change"), &staff, change(&one, "Editor")).await?;
    r.turkish((CHANGE, "back"), &staff, change(&one, "Editör")).await?;
    r.bad((CHANGE, "none"), &staff, change(&format!("{path}/{NOTHING}"), "Editor")).await?;

    let give = |roles: Value| Ask::json(Method::PUT, format!("{person}/roles"), &json!({ "roles": roles }));
    r.good((SET_ROLES, "give"), &staff, give(json!(["instructor", id]))).await?;
    r.turkish((SET_ROLES, "a role that is none"), &staff, give(json!(["müdür"]))).await?;
    r.bad((SET_ROLES, "the platform's"), &staff, give(json!(["global_admin"]))).await?;
    let set = |state: &str| Ask::json(Method::PUT, format!("{person}/state"), &json!({ "state": state }));
    r.good((SET_STATE, "suspend"), &staff, set("suspended")).await?;
    r.turkish((SET_STATE, "let in again"), &staff, set("active")).await?;
    r.bad((SET_STATE, "to none that there is"), &staff, set("asleep")).await?;

    r.good((DELETE, "delete"), &staff, Ask::new(Method::DELETE, &one)).await?;
    r.bad((DELETE, "again"), &staff, Ask::new(Method::DELETE, &one)).await?;
    r.send(Kind::Good, (ROLES, "all that are left"), &staff, &Ask::get(path)).await?;
    Ok(())
}
