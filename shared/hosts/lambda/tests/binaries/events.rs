//! Events as AWS documents them.

use http::HeaderMap;
use serde_json::{Map, Value, json};

/// A request as API Gateway's HTTP API hands it over (payload format 2.0): header names in lower case, cookies apart, the
/// body in base64.
pub fn http(method: &str, target: &str, headers: &HeaderMap, body: Option<&[u8]>) -> Value {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut named = Map::new();
    for (name, value) in headers {
        named.insert(name.to_string(), value.to_str().unwrap().into());
    }
    named.insert("host".into(), "lambda.example.com".into());
    named.insert("user-agent".into(), "akademi-origin".into());
    named.insert("x-amzn-trace-id".into(), "Root=1-5e6722a7-cc56xmpl46db7ae02d4da47e".into());
    named.insert("x-forwarded-for".into(), "203.0.113.9".into());
    named.insert("x-forwarded-port".into(), "443".into());
    named.insert("x-forwarded-proto".into(), "https".into());
    let mut event = json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": query,
        "cookies": ["__Host-oturum=gizli", "dil=tr"], "headers": named,
        "requestContext": {
            "accountId": "123456789012", "apiId": "r3pmxmplak", "domainName": "lambda.example.com",
            "domainPrefix": "lambda", "requestId": "JKJaXmPLvHcESHA=", "routeKey": "$default", "stage": "$default",
            "time": "21/Nov/2026:15:08:21 +0000", "timeEpoch": 1_795_273_701_067_i64,
            "http": { "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.9",
                      "userAgent": "akademi-origin" },
        },
        "isBase64Encoded": body.is_some(),
    });
    if let Some(body) = body {
        event["body"] = STANDARD.encode(body).into();
    }
    event
}

/// A batch of SQS: ids and bodies.
pub fn batch(messages: &[(&str, &str)]) -> Value {
    let record = |(id, body): &(&str, &str)| {
        json!({
            "messageId": id, "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a", "body": body,
            "attributes": { "ApproximateReceiveCount": "1", "SentTimestamp": "1795273701067",
                            "SenderId": "AIDAIENQZJOLO23YVJ4VO", "ApproximateFirstReceiveTimestamp": "1795273701071" },
            "messageAttributes": {}, "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3", "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:akademi", "awsRegion": "eu-central-1",
        })
    };
    json!({ "Records": messages.iter().map(record).collect::<Vec<_>>() })
}

/// A rule of EventBridge that is due.
pub fn schedule(detail: &Value) -> Value {
    json!({
        "version": "0", "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa", "detail-type": "Scheduled Event",
        "source": "aws.events", "account": "123456789012", "time": "2026-11-21T00:05:00Z", "region": "eu-central-1",
        "resources": ["arn:aws:events:eu-central-1:123456789012:rule/akademi"], "detail": detail,
    })
}
