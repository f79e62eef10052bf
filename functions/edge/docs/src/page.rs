//! The API's document as a page to read, made where it is asked for, since it would weigh as much as the document: no script, one style block that the page's policy names by its hash.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fmt::Write;

const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --paper: #fff; --code: #f6f8fa; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --soft: #9aa4af; --line: #30363d; --paper: #0d1117; --code: #161b22; }
}
body { margin: 0 auto; max-width: 60rem; padding: 2rem 1rem 6rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.6 system-ui, sans-serif; }
h1 { margin: 0; } h2 { margin-top: 3rem; border-bottom: 1px solid var(--line); text-transform: capitalize; }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1rem; } a { color: inherit; }
details { border: 1px solid var(--line); border-radius: .5rem; margin: .75rem 0; padding: .5rem 1rem; }
summary { cursor: pointer; overflow-wrap: anywhere; }
summary b { display: inline-block; min-width: 4.5rem; font-family: ui-monospace, monospace; }
summary span { color: var(--soft); display: block; margin-left: 5.5rem; }
code, pre { font-family: ui-monospace, monospace; font-size: .875rem; background: var(--code); border-radius: .25rem; }
code { padding: .1rem .3rem; } pre { padding: .75rem; overflow-x: auto; white-space: pre-wrap; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; }
tr { border-bottom: 1px solid var(--line); }
";

const PROBLEM: &str = "#/components/schemas/Problem";
/// Errors that any route may answer.
const EVERYWHERE: [&str; 3] = ["431", "500", "503"];

/// The document as HTML.
pub fn reading_page(document: &Value) -> String {
    let hash = STANDARD.encode(Sha256::digest(STYLE));
    let mut page = format!(
        "<!doctype html>\n<!-- style sha256-{hash} -->\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>Akademi API</title>\n\
         <style>{STYLE}</style>\n<h1>Akademi API</h1>\n<p>{}</p>\n\
         <p>An answer from 400 on is a <a href=\"#Problem\"><code>Problem</code></a>. Any route may answer 431 when the \
         headers are larger than 32 KB together, 500 when something broke on our side, and 503 when the service is busy or \
         a part of it is down.</p>\n\
         <p>For programs: <a href=\"/api/openapi.json\">openapi.json</a> (OpenAPI 3.1).</p>\n",
        prose(document.pointer("/info/description").and_then(Value::as_str).unwrap_or_default()),
    );
    let operations = operations(document);
    let mut tags: Vec<&str> = operations.iter().map(|operation| operation.tag).collect();
    tags.dedup();
    let mut seen: Vec<&str> = Vec::new();
    tags.retain(|tag| {
        !seen.contains(tag) && {
            seen.push(tag);
            true
        }
    });
    page.push_str("<nav>");
    for tag in &tags {
        let _ = write!(page, "<a href=\"#{tag}\">{tag}</a>");
    }
    page.push_str("</nav>\n");
    for tag in tags {
        let _ = writeln!(page, "<h2 id=\"{tag}\">{tag}</h2>");
        for operation in operations.iter().filter(|operation| operation.tag == tag) {
            write_operation(&mut page, operation);
        }
    }
    page.push_str("<h2 id=\"schemas\">schemas</h2>\n");
    let schemas = document.pointer("/components/schemas").and_then(Value::as_object);
    for (name, schema) in schemas.into_iter().flatten() {
        let text = serde_json::to_string_pretty(schema).unwrap_or_default();
        let _ = writeln!(
            page,
            "<details id=\"{0}\"><summary><code>{0}</code></summary><pre>{1}</pre></details>",
            escape(name),
            escape(&text)
        );
    }
    page.push_str("</html>\n");
    page
}

struct Operation<'a> {
    method: String,
    path: &'a str,
    tag: &'a str,
    value: &'a Value,
}

fn operations(document: &Value) -> Vec<Operation<'_>> {
    let paths = document.get("paths").and_then(Value::as_object);
    let mut found = Vec::new();
    for (path, item) in paths.into_iter().flatten() {
        for (method, value) in item.as_object().into_iter().flatten() {
            let tag = value.pointer("/tags/0").and_then(Value::as_str).unwrap_or("other");
            found.push(Operation { method: method.to_uppercase(), path, tag, value });
        }
    }
    found
}

fn write_operation(page: &mut String, operation: &Operation<'_>) {
    let text = |key: &str| operation.value.get(key).and_then(Value::as_str).unwrap_or_default();
    let _ = writeln!(
        page,
        "<details><summary><b>{}</b> <code>{}</code><span>{}</span></summary>\n<p>{}</p>",
        operation.method,
        escape(operation.path),
        escape(text("summary")),
        prose(text("description")),
    );
    let parameters = operation.value.get("parameters").and_then(Value::as_array);
    for parameter in parameters.into_iter().flatten() {
        let text = |key: &str| parameter.get(key).and_then(Value::as_str).unwrap_or_default();
        let _ = writeln!(
            page,
            "<p><code>{}</code> ({}): {}</p>",
            escape(text("name")),
            escape(text("in")),
            prose(text("description"))
        );
    }
    if let Some(schema) = operation.value.pointer("/requestBody/content/application~1json/schema") {
        let _ = writeln!(page, "<p>Body: {}</p>", schema_link(schema));
    }
    page.push_str("<table><tr><th>Status</th><th>Meaning</th><th>Body</th></tr>\n");
    for (status, response) in
        operation.value.get("responses").and_then(Value::as_object).into_iter().flatten()
    {
        let description = response.get("description").and_then(Value::as_str).unwrap_or_default();
        let schema = response
            .get("content")
            .and_then(Value::as_object)
            .and_then(|content| content.values().next())
            .and_then(|media| media.get("schema"));
        // Errors all look alike, and these three are every route's: the page says so once.
        let is_problem = schema.and_then(|schema| schema.get("$ref")).is_some_and(|name| name == PROBLEM);
        if is_problem && EVERYWHERE.contains(&status.as_str()) {
            continue;
        }
        let body = schema.filter(|_| !is_problem).map(schema_link).unwrap_or_default();
        let _ = writeln!(page, "<tr><td>{status}</td><td>{}</td><td>{body}</td></tr>", prose(description));
    }
    page.push_str("</table></details>\n");
}

/// A schema by its name, as a link, where it has one.
fn schema_link(schema: &Value) -> String {
    let reference = schema.get("$ref").and_then(Value::as_str);
    let name = reference.and_then(|reference| reference.rsplit('/').next());
    match name {
        Some(name) => format!("<a href=\"#{0}\"><code>{0}</code></a>", escape(name)),
        None => {
            format!("<code>{}</code>", escape(schema.get("type").and_then(Value::as_str).unwrap_or("any")))
        }
    }
}

/// Prose of the document, in which backticks mark code.
fn prose(text: &str) -> String {
    let parts = escape(text);
    let parts = parts.split('`').enumerate();
    parts
        .map(|(index, part)| if index % 2 == 1 { format!("<code>{part}</code>") } else { part.to_owned() })
        .collect()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
