//! The Lambda plane of a deployment, on a port and a PostgreSQL database of its own: in this process, or as the binaries that
//! run on AWS Lambda, behind API Gateway.

use akademi_api::config::Config;
use akademi_functions::{FUNCTIONS, Plane, ROUTES};
use akademi_host_tests::engine::{ANY_PORT, silent_ports};
use akademi_lambda_store::{objects::Objects, testing::TestDatabase};
use akademi_local::{http_client::Network, lambda_plane::LambdaPlane, mailbox::Mailbox, server::Server};
use akademi_parity::{Deployment, seed_lambda};
use akademi_runtime_api::{
    Binary, RuntimeApi,
    bucket::Bucket,
    environment,
    gateway::{Gateway, Integration},
    queue::Queues,
};
use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

/// A plane that runs until it is stopped.
pub struct LambdaHost {
    kind: Kind,
    _database: TestDatabase,
}

enum Kind {
    InProcess { server: Server, _files: tempfile::TempDir },
    Binaries { _processes: Vec<Binary>, _gateway: Gateway, _queues: Queues, _bucket: Bucket },
}

impl LambdaHost {
    pub async fn in_process(deployment: &mut Deployment) -> Self {
        let database = TestDatabase::new().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let objects = Objects::local(folder.path()).unwrap();
        for file in seed_lambda(deployment, &database, silent_ports()).await.unwrap() {
            objects.put(&file.key, &file.content_type.parse().unwrap(), file.bytes).await.unwrap();
        }
        let lookup = |name: &str| deployment.variables.get(name).cloned();
        let postgres = database.postgres().clone();
        let mailer = Arc::new(Mailbox::open(folder.path().join("mail")).unwrap());
        let plane = LambdaPlane::new(
            &silent_ports(),
            postgres,
            Network::new(),
            objects,
            (mailer, None),
            &Config::new(&lookup),
        )
        .unwrap();
        let server = Server::start(plane.router.clone(), ANY_PORT).await.unwrap();
        deployment.variables.insert("lambda_url".into(), format!("http://{}", server.address));
        Self { kind: Kind::InProcess { server, _files: folder }, _database: database }
    }

    pub async fn binaries(deployment: &mut Deployment) -> Self {
        let database = TestDatabase::new().await.unwrap();
        let (queues, bucket) = (Queues::start().await.unwrap(), Bucket::start().unwrap());
        for file in seed_lambda(deployment, &database, silent_ports()).await.unwrap() {
            bucket.put(file.key.as_str(), &file.bytes).unwrap();
        }
        let mut variables = deployment.variables.clone();
        variables.insert("database_url".to_owned(), database.url());
        variables.extend(environment(&queues, &bucket));
        let (mut processes, mut integrations) = (Vec::new(), Vec::new());
        for function in FUNCTIONS.iter().filter(|function| function.plane == Plane::Lambda) {
            let paths: BTreeSet<_> = ROUTES
                .iter()
                .filter(|route| route.function == function.name)
                .map(|route| route.path)
                .collect();
            if paths.is_empty() {
                continue;
            }
            let api = Arc::new(RuntimeApi::start().await.unwrap());
            processes
                .push(Binary::start(program(function.name).to_str().unwrap(), &api, &variables).unwrap());
            integrations.push(Integration { paths: paths.into_iter().collect(), api });
        }
        for Integration { api, .. } in &integrations {
            api.first_poll().await.unwrap();
        }
        let gateway = Gateway::start(integrations).await.unwrap();
        deployment.variables.insert("lambda_url".into(), format!("http://{}", gateway.address));
        let kind =
            Kind::Binaries { _processes: processes, _gateway: gateway, _queues: queues, _bucket: bucket };
        Self { kind, _database: database }
    }

    pub async fn stop(self) {
        if let Kind::InProcess { server, .. } = self.kind {
            server.stop().await;
        }
    }
}

/// The binary of a function: `akademi-lambda` is built into the same folder as this test.
fn program(function: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let program = test.parent().unwrap().parent().unwrap().join(function);
    assert!(program.exists(), "{} is not there: run `cargo build --workspace --bins`", program.display());
    program
}
