//! The cases as a Worker with D1, on workerd.

use akademi_worker_host::{Options, WorkerHost, bundle};

use crate::{
    engine::{Others, ask_all, get},
    fixture::compile,
};

#[test]
fn the_d1_adapter_keeps_the_contract() {
    let compiled = compile("wasm32-unknown-unknown", "wasm");
    let folder = tempfile::tempdir().unwrap();
    let worker = bundle(&compiled, folder.path()).unwrap();
    let host = WorkerHost::prepare(Options { worker: Some(worker), ..Options::default() }).unwrap();
    let running = host.start().unwrap();
    ask_all("d1", Others::None, |name| {
        let answer = get(running.base_url(), name);
        if answer.starts_with("timeout") {
            println!("{name} was not answered:\n{}", running.log());
        }
        answer
    });
}
