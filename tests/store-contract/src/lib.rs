//! What every engine of the edge store must do: cases over [`Database`] that run natively on rusqlite, in a Spin
//! component and in a Worker on D1.
//!
//! [`contract!`] is the one list. From it come [`CASES`], which a Spin component (`component`) and a Worker
//! (`worker`) serve as `GET /{case}`, and the native tests. A new case is a function in [`cases`] and its name in
//! the list.

mod abandon;
pub mod cases;
mod expect;
mod list;
mod schema;

#[cfg(target_os = "wasi")]
mod component;
#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
mod worker;

pub use expect::{Failure, Outcome};
pub use schema::reset;

use akademi_edge_store::Database;
use futures::future::LocalBoxFuture;

/// Who has the database's file while a case runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum File {
    /// Nobody else.
    Free,
    /// Another connection is in the midst of a write.
    Held,
}

/// One thing that an engine must do. It finds the tables of [`reset`] empty.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// `module::case`
    pub name: &'static str,
    pub file: File,
    pub run: for<'a> fn(&'a dyn Database) -> LocalBoxFuture<'a, Outcome>,
}

macro_rules! table {
    ($($file:ident { $($module:ident { $($case:ident)+ })+ })+) => {
        /// All cases.
        pub const CASES: &[Case] = &[$($($(Case {
            name: concat!(stringify!($module), "::", stringify!($case)),
            file: File::$file,
            run: |database| Box::pin(cases::$module::$case(database)),
        }),+),+),+];
    };
}

contract!(table);

/// What the component and the Worker answer to `GET /{name}`, `reset` or a case's: `ok`, or what went wrong.
pub async fn answer(path: &str, database: &dyn Database) -> String {
    let name = path.trim_matches('/');
    let outcome = match CASES.iter().find(|case| case.name == name) {
        Some(case) => (case.run)(database).await,
        None if name == "reset" => reset(database).await.map_err(Failure::from),
        None => Err(Failure(format!("there is no case {name}"))),
    };
    outcome.map_or_else(|Failure(what)| what, |()| "ok".to_owned())
}
