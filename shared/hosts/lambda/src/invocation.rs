//! What Lambda hands over, told apart by its shape.

use lambda_http::request::LambdaRequest;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::{Value, value::RawValue};

/// An event.
#[derive(Debug)]
pub enum Invocation {
    /// A request of API Gateway's HTTP API or of a function URL (payload format 2.0).
    Http(Box<LambdaRequest>),
    /// A batch of messages from SQS.
    Messages(Vec<Record>),
    /// A rule of EventBridge, or of its Scheduler, that is due; what it was told to say.
    Schedule(Value),
}

/// A message of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    pub message_id: String,
    #[serde(default)]
    pub body: String,
    event_source: String,
}

/// The answer to a batch: the messages that are to come again. It needs `ReportBatchItemFailures` in the queue's mapping.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchAnswer {
    pub batch_item_failures: Vec<BatchItemFailure>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchItemFailure {
    /// The message's id.
    pub item_identifier: String,
}

/// The fields that only one kind of event has.
#[derive(Deserialize)]
struct Shape<'a> {
    #[serde(borrow, default, rename = "requestContext")]
    request_context: Option<&'a RawValue>,
    #[serde(default, rename = "Records")]
    records: Option<Vec<Record>>,
    #[serde(default, rename = "detail-type")]
    detail_type: Option<String>,
    #[serde(default)]
    detail: Value,
}

impl<'de> Deserialize<'de> for Invocation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let event = Box::<RawValue>::deserialize(deserializer)?;
        let shape: Shape<'_> = serde_json::from_str(event.get()).map_err(D::Error::custom)?;
        match shape {
            Shape { request_context: Some(_), .. } => serde_json::from_str(event.get())
                .map(|request| Self::Http(Box::new(request)))
                .map_err(D::Error::custom),
            Shape { records: Some(records), .. }
                if records.iter().all(|record| record.event_source == "aws:sqs") =>
            {
                Ok(Self::Messages(records))
            }
            Shape { detail_type: Some(kind), detail, .. } if kind == "Scheduled Event" => {
                Ok(Self::Schedule(parsed(detail)))
            }
            _ => Err(D::Error::custom("the event is no HTTP request, no batch of SQS and no schedule")),
        }
    }
}

/// EventBridge's Scheduler writes what it was told as a string of JSON, a rule as JSON itself.
fn parsed(detail: Value) -> Value {
    match &detail {
        Value::String(text) => serde_json::from_str(text).unwrap_or(detail),
        _ => detail,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(event: &Value) -> Result<Invocation, serde_json::Error> {
        serde_json::from_str(&event.to_string())
    }

    #[test]
    fn a_schedule_is_told_by_its_detail_type_whoever_sends_it() {
        for (source, detail) in [("aws.events", json!({})), ("aws.scheduler", json!("{}"))] {
            let event = json!({
                "version": "0", "id": "53dc4d37", "detail-type": "Scheduled Event", "source": source,
                "account": "123456789012", "time": "2026-10-08T16:53:06Z", "region": "eu-central-1",
                "resources": ["arn:aws:events:eu-central-1:123456789012:rule/minute"], "detail": detail,
            });
            let Invocation::Schedule(detail) = read(&event).unwrap() else { panic!("{event}") };
            assert_eq!(detail, json!({}));
        }
    }

    #[test]
    fn a_batch_keeps_its_order_and_a_message_without_a_body() {
        let record = |id| {
            json!({ "messageId": id, "receiptHandle": "r", "attributes": {}, "messageAttributes": {},
                    "eventSource": "aws:sqs", "awsRegion": "eu-central-1" })
        };
        let Invocation::Messages(records) = read(&json!({ "Records": [record("b"), record("a")] })).unwrap()
        else {
            panic!("it is a batch");
        };
        let ids: Vec<&str> = records.iter().map(|record| record.message_id.as_str()).collect();
        assert_eq!(ids, ["b", "a"]);
        assert_eq!(records[0].body, "");
    }

    #[test]
    fn what_nobody_expects_is_refused() {
        for event in [
            json!({}),
            json!({ "Records": [{ "messageId": "m", "eventSource": "aws:s3" }] }),
            json!({ "detail-type": "Object Created", "detail": {} }),
            json!({ "requestContext": { "eventType": "CONNECT" } }),
            json!([]),
        ] {
            assert!(read(&event).is_err(), "{event}");
        }
    }
}
