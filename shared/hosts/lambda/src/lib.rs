//! The Lambda plane's functions on AWS Lambda: one binary each, one invocation at a time.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`invocation`] | tells what Lambda hands over: an HTTP request, messages of a queue, a schedule |
//! | [`functions`] | what each function does with them |
//! | [`host`] | the loop: reads the variables, answers invocations, sends the wakes that they asked for |
//! | [`queue`] | messages of SQS: "there is work", without data |
//! | [`aws`] | calls to AWS itself: signing, S3 |
//! | [`environment`] | what a function gets: ports, PostgreSQL with one connection, variables in upper case |
//!
//! # Wakes
//! An instance is frozen once it has answered, so a wake is not sent when a function asks for it but before the answer,
//! and is waited for. Whoever writes the feed also queues a wake of `sync` before the write begins, delayed until
//! the invocation is over, however it ends: a crash between the commit and the answer strands nothing (design §5).
//!
//! # Events
//! A function with routes answers API Gateway's HTTP API (payload 2.0) and function URLs, on the stage `$default`: another
//! stage stands in the path, which `origin` did not sign.

pub mod aws;
pub mod environment;
pub mod functions;
pub mod host;
pub mod http_client;
pub mod invocation;
pub mod queue;
