//! Inviting everybody who stands in a table.

use akademi_api::{
    Academy, Body, Caller, Problem, QueryParams,
    body::read_bytes,
    caller::{AcademyHost, RequestId},
};
use akademi_domain::{
    identity::{EmailAddress, PersonName},
    permission::Role,
};
use akademi_edge_store::StoreError;
use akademi_identity::{Guest, Invitations, Origin, Profile};
use axum::extract::State;
use http::{HeaderMap, header};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    People,
    csv::{Record, records},
    person::permissions_of,
    store::{self, OwnRole},
};

/// The largest file, in bytes, and the most people in one.
const MAX_BYTES: usize = 1024 * 1024;
const MAX_ROWS: usize = 500;
/// How often it is looked anew who is known because somebody was invited meanwhile.
const TRIES: usize = 4;

/// The query of the import.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ImportParams {
    /// Whether to tell only what would be done.
    #[serde(default)]
    dry_run: bool,
}

/// What becomes of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LineState {
    Invited,
    /// The address has an account here, was invited already, or stands on a line before.
    Known,
    Refused,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ImportedLine {
    /// The line of the file that the row begins on, from 1 on.
    line: u32,
    state: LineState,
    /// Of a refused line: `email`, `name` or `roles`; null when it is the whole line.
    column: Option<&'static str>,
    /// Of a refused line.
    reason: Option<String>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ImportReport {
    /// Whether nobody was invited, because only the report was asked for.
    dry_run: bool,
    invited: usize,
    known: usize,
    refused: usize,
    /// One for each row, in their order.
    lines: Vec<ImportedLine>,
}

/// Invite everybody in a table
///
/// CSV in UTF-8 with a comma or a semicolon between the cells, at most 1 MB and 500 rows under a first line of names:
/// `email`, `name` and, if there are any, `roles`, separated by spaces: built-in roles by name, the academy's own by id;
/// `student` where there are none. `id`, `state` and `created_at`, which an export has, are passed over. A row with a
/// mistake is told of and left out. Whoever is known is not invited again, so that a file may be sent once more.
#[utoipa::path(post, path = "/api/v1/people/import", tag = "people", params(ImportParams),
    request_body(content = String, content_type = "text/csv"),
    responses((status = 200, description = "What became of each row", body = ImportReport),
              (status = 409, description = "Changed by another request at the same time", body = akademi_api::problem::ProblemDocument, content_type = "application/problem+json")))]
#[allow(clippy::too_many_arguments, reason = "each is something else of the request")]
pub async fn import(
    State(people): State<People>,
    academy: Academy,
    host: AcademyHost,
    caller: Caller,
    origin: Origin,
    request: RequestId,
    QueryParams(params): QueryParams<ImportParams>,
    file: axum::extract::Request,
) -> Result<Body<ImportReport>, Problem> {
    if !is_csv(file.headers()) {
        return Err(Problem::unsupported_media_type().with_detail("The body must be text/csv."));
    }
    let (parts, body) = file.into_parts();
    let bytes = read_bytes(&parts.headers, body, MAX_BYTES).await?;
    let mut rows = records(&bytes, MAX_ROWS + 1)?.into_iter();
    let columns = Columns::of(&rows.next().ok_or_else(|| Problem::field("", "is empty"))?)?;
    let own = store::list_roles(&people.edge.tenant(caller.tenant)).await?;
    let rows: Vec<_> = rows.map(|row| (row.line, columns.read(&row, &own, &caller))).collect();

    let (ports, database) = (&people.edge.ports, people.edge.tenant(caller.tenant));
    for _ in 0..TRIES {
        let now = ports.now();
        let plan = plan(&people, &academy, &rows).await?;
        if params.dry_run || plan.guests.is_empty() {
            return Ok(Body(plan.report(params.dry_run)));
        }
        let invitations = Invitations { academy: &academy, host: &host };
        let (invited, mut batch) = invitations.send(&plan.guests, &people.vault, ports, now)?;
        let change = json!({ "after": { "invited": invited } });
        let target = format!("academy:{}", caller.tenant);
        batch.extend(people.audited(&caller, &origin, "people.imported", target, change).await?);
        match database.batch_if(store::nobody_is_known(&plan.lookups, now), batch).await {
            Ok(_) => {
                people.sync.send(ports, &request).await;
                return Ok(Body(plan.report(false)));
            }
            Err(StoreError::Guard) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Problem::conflict())
}

fn is_csv(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("text/csv")
}

/// Where the cells stand in a row.
struct Columns {
    count: usize,
    email: usize,
    name: usize,
    roles: Option<usize>,
}

/// Why a row is left out: its column, and what is wrong there.
struct Refusal(Option<&'static str>, String);

impl Columns {
    fn of(first: &Record) -> Result<Self, Problem> {
        let names: Vec<_> = first.cells.iter().map(|cell| cell.to_lowercase()).collect();
        let place = |names_of: &[&str]| names.iter().position(|name| names_of.contains(&name.as_str()));
        let is_column = |name: &&String| {
            let known = ["email", "e-mail", "name", "roles", "id", "state", "created_at"];
            !known.contains(&name.as_str())
        };
        if let Some(unknown) = names.iter().find(is_column) {
            return Err(Problem::field(unknown.clone(), "is no column of an import"));
        }
        let missing = |name: &'static str| Problem::field(name, "is no column of the first line");
        Ok(Self {
            count: names.len(),
            email: place(&["email", "e-mail"]).ok_or_else(|| missing("email"))?,
            name: place(&["name"]).ok_or_else(|| missing("name"))?,
            roles: place(&["roles"]),
        })
    }

    fn read(&self, row: &Record, own: &[OwnRole], caller: &Caller) -> Result<Guest, Refusal> {
        if row.cells.len() != self.count {
            return Err(Refusal(None, format!("has {} cells and not {}", row.cells.len(), self.count)));
        }
        let cell = |place: usize| row.cells.get(place).map(String::as_str).unwrap_or_default();
        let refused = |column| move |message: String| Refusal(Some(column), message);
        let email =
            EmailAddress::parse(cell(self.email)).map_err(|error| refused("email")(error.to_string()))?;
        let name = PersonName::try_from(cell(self.name).to_owned());
        let name = name.map_err(|error| refused("name")(error.to_string()))?;
        let mut roles: Vec<_> =
            self.roles.map(cell).unwrap_or_default().split_whitespace().map(str::to_owned).collect();
        if roles.is_empty() {
            roles.push(Role::Student.name().to_owned());
        }
        let given = permissions_of(own, &roles).map_err(|problem| {
            let message = problem.errors().first().map(|error| error.message.clone());
            refused("roles")(message.unwrap_or_default())
        })?;
        if !caller.permissions.covers(given) {
            return Err(refused("roles")("allow what you may not do yourself".into()));
        }
        Ok(Guest { profile: Profile { name, email }, roles: roles.join(",") })
    }
}

/// What is to be done.
struct Plan {
    lines: Vec<ImportedLine>,
    guests: Vec<Guest>,
    lookups: Vec<[u8; 32]>,
}

/// Who of the rows is to be invited, as things stand.
async fn plan(
    people: &People,
    academy: &Academy,
    rows: &[(u32, Result<Guest, Refusal>)],
) -> Result<Plan, Problem> {
    let database = people.edge.tenant(academy.id);
    let lookup = |guest: &Guest| people.vault.email_lookup(academy.id, &guest.profile.email);
    let lookups: Vec<_> = rows.iter().filter_map(|(_, row)| row.as_ref().ok().map(lookup)).collect();
    let mut known = store::list_known(&database, &lookups, people.edge.ports.now()).await?;
    let mut room = store::find_room(&database).await?;
    let mut plan = Plan { lines: Vec::new(), guests: Vec::new(), lookups: Vec::new() };
    let mut lookups = lookups.into_iter();
    for (line, row) in rows {
        let refused = |Refusal(column, reason): Refusal| (LineState::Refused, column, Some(reason));
        let (state, column, reason) = match row {
            Err(Refusal(column, reason)) => refused(Refusal(*column, reason.clone())),
            Ok(guest) => match lookups.next() {
                Some(lookup) if known.iter().any(|known| *known == lookup) => (LineState::Known, None, None),
                Some(_) if room == Some(0) => {
                    refused(Refusal(None, "the academy has as many people as it may".into()))
                }
                lookup => {
                    room = room.map(|room| room - 1);
                    known.extend(lookup.map(Vec::from));
                    plan.lookups.extend(lookup);
                    plan.guests.push(Guest { profile: guest.profile.clone(), roles: guest.roles.clone() });
                    (LineState::Invited, None, None)
                }
            },
        };
        plan.lines.push(ImportedLine { line: *line, state, column, reason });
    }
    Ok(plan)
}

impl Plan {
    fn report(self, dry_run: bool) -> ImportReport {
        let count = |state| self.lines.iter().filter(|line| line.state == state).count();
        ImportReport {
            dry_run,
            invited: count(LineState::Invited),
            known: count(LineState::Known),
            refused: count(LineState::Refused),
            lines: self.lines,
        }
    }
}
