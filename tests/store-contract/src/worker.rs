//! The cases as a Cloudflare Worker, on the D1 database bound as `DB`.

use akademi_edge_store::d1::D1;
use worker::{Context, Env, Request, Response, event};

#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> worker::Result<Response> {
    let database = D1(env.d1("DB")?);
    Response::ok(crate::answer(&request.path(), &database).await)
}
