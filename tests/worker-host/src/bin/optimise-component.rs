//! Makes a Spin component smaller: `optimise-component COMPILED WANTED`.

use anyhow::Context;
use std::{env, path::Path};

fn main() -> anyhow::Result<()> {
    let mut files = env::args_os().skip(1);
    let mut file = || files.next().context("two files are needed: what was compiled, and what is wanted");
    let (compiled, wanted) = (file()?, file()?);
    akademi_worker_host::optimise_component(Path::new(&compiled), Path::new(&wanted))
}
