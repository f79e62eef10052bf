//! A host's TXT records, asked over HTTPS in the JSON form that Cloudflare answers (`GET /dns-query?name=…&type=TXT` with
//! `Accept: application/dns-json`).

use akademi_api::{Problem, ports::HttpClient};
use akademi_domain::academy::HostName;
use bytes::Bytes;
use http::{Request, StatusCode, Uri, header};
use serde::Deserialize;

/// RFC 1035 §3.2.2
const TXT: u16 = 16;
/// RFC 1035 §4.1.1: there is no such name.
const NAME_ERROR: u16 = 3;

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "Status")]
    status: u16,
    #[serde(rename = "Answer", default)]
    records: Vec<Record>,
}

#[derive(Deserialize)]
struct Record {
    #[serde(rename = "type")]
    kind: u16,
    data: String,
}

/// The texts of `label` under `host`; none where there is no such name.
///
/// # Errors
/// `unavailable` when the server cannot be asked or does not know.
pub async fn texts(
    http: &dyn HttpClient,
    server: &Uri,
    label: &str,
    host: &HostName,
) -> Result<Vec<String>, Problem> {
    let unknown = |cause: &dyn std::fmt::Display| {
        let detail = "The name server did not answer: try again in a moment.";
        Problem::unavailable().with_detail(detail).retry_after(30).because(cause)
    };
    let request = Request::get(format!("{server}dns-query?name={label}.{host}&type=TXT"))
        .header(header::ACCEPT, "application/dns-json")
        .body(Bytes::new())
        .map_err(Problem::broken)?;
    let answer = http.send(request).await.map_err(|error| unknown(&error))?;
    if answer.status() != StatusCode::OK {
        return Err(unknown(&answer.status()));
    }
    let answer: Answer = serde_json::from_slice(answer.body()).map_err(|error| unknown(&error))?;
    match answer.status {
        0 => Ok(answer
            .records
            .iter()
            .filter(|record| record.kind == TXT)
            .map(|record| text(&record.data))
            .collect()),
        NAME_ERROR => Ok(Vec::new()),
        other => Err(unknown(&format!("RCODE {other}"))),
    }
}

/// A record's character strings as one text: servers write them in quotes, side by side (RFC 1035 §5.1).
fn text(data: &str) -> String {
    if data.contains('"') { data.split('"').skip(1).step_by(2).collect() } else { data.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_in_parts_is_one_text() {
        assert_eq!(text("\"akademi=ab\""), "akademi=ab");
        assert_eq!(text("\"akademi=\" \"ab\""), "akademi=ab");
        assert_eq!(text("akademi=ab"), "akademi=ab");
    }
}
