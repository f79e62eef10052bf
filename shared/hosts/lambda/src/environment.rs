//! What a function gets from the process that Lambda started.

use akademi_api::{
    Ports,
    config::{Config, ConfigError},
    signed::PlaneKeys,
};
use akademi_functions::{DATABASE_URL, PLANE_ROOT_KEYS, Variable};
use akademi_lambda_store::postgres::Postgres;
use akademi_process::ports::{WriteLog, ports};
use std::{env, io, sync::Arc};

use crate::{
    aws::{Aws, Bucket, CredentialsError},
    http_client::Network,
    queue::Queue,
};

/// The bucket of the academies' files.
pub const STORAGE_BUCKET: Variable =
    Variable { name: "storage_bucket", secret: false, meaning: "S3 bucket of the academies' files, on AWS" };
/// Another S3 than AWS's; may be missing.
pub const AWS_ENDPOINT_URL: Variable = Variable {
    name: "aws_endpoint_url",
    secret: false,
    meaning: "base URL of another S3, with the bucket in the path",
};
/// What wakes `sync`.
pub const SYNC_QUEUE_URL: Variable =
    Variable { name: "sync_queue_url", secret: false, meaning: "SQS queue that wakes `sync`, on AWS" };
/// What has imports done.
pub const IMPORT_QUEUE_URL: Variable = Variable {
    name: "import_queue_url",
    secret: false,
    meaning: "SQS queue that has `authoring` look for imports, on AWS",
};
/// What has videos transcoded.
pub const TRANSCODE_QUEUE_URL: Variable = Variable {
    name: "transcode_queue_url",
    secret: false,
    meaning: "SQS queue that has `transcode` look for videos, on AWS",
};
/// What has mail sent.
pub const MAIL_QUEUE_URL: Variable = Variable {
    name: "mail_queue_url",
    secret: false,
    meaning: "SQS queue that has `mail` look for mail, on AWS",
};

/// An instance serves one request at a time, so it needs one connection and the database as few as there are instances.
const CONNECTIONS: u32 = 1;

/// The process that Lambda started.
pub struct Environment {
    pub ports: Ports,
    pub http: Arc<Network>,
    pub config: Config<'static>,
}

impl Default for Environment {
    /// The log goes to standard output, which Lambda takes to CloudWatch.
    fn default() -> Self {
        Self {
            ports: ports(Arc::new(WriteLog::new(io::stdout()))),
            http: Network::new(),
            config: Config::new(&variable),
        }
    }
}

impl Environment {
    /// PostgreSQL, connected to when it is first needed.
    ///
    /// # Errors
    /// [`ConfigError`] naming `database_url`.
    pub fn postgres(&self) -> Result<Postgres, ConfigError> {
        self.config.read(DATABASE_URL, |url| Postgres::from_url(url, CONNECTIONS))
    }

    /// # Errors
    /// [`ConfigError`] naming `plane_root_keys`.
    pub fn planes(&self) -> Result<Arc<PlaneKeys>, ConfigError> {
        self.config.read(PLANE_ROOT_KEYS, PlaneKeys::from_config).map(Arc::new)
    }

    /// The bucket of the academies' files.
    ///
    /// # Errors
    /// [`ConfigError`] naming `storage_bucket`, which is missing, or for which Lambda gave no credentials, or
    /// `aws_endpoint_url`, which is no URL.
    pub fn bucket(&self) -> Result<Bucket, ConfigError> {
        let name = self.config.read(STORAGE_BUCKET, |name| name.parse::<String>())?;
        let aws = self.aws(STORAGE_BUCKET)?;
        let bucket = |endpoint: &str| Bucket::new(&name, Some(endpoint), &aws);
        match self.config.read_if_set(AWS_ENDPOINT_URL, bucket)? {
            Some(bucket) => Ok(bucket),
            None => self.config.read(STORAGE_BUCKET, |name| Bucket::new(name, None, &aws)),
        }
    }

    /// AWS, which `variable` is about.
    fn aws(&self, variable: Variable) -> Result<Aws, ConfigError> {
        Aws::from_environment(self.http.clone())
            .map_err(|CredentialsError(problem)| ConfigError { variable: variable.name, problem })
    }

    /// The queue whose messages wake `function`.
    ///
    /// # Errors
    /// [`ConfigError`] naming `address`, which is missing or wrong, or for which Lambda gave no credentials.
    pub fn queue(&self, function: &'static str, address: Variable) -> Result<Arc<Queue>, ConfigError> {
        let url = self.config.read(address, Queue::parse_url)?;
        Ok(Arc::new(Queue::new(function, url, self.aws(address)?)))
    }
}

/// The value of a variable, by its lower-case name.
fn variable(name: &str) -> Option<String> {
    env::var(name.to_ascii_uppercase()).ok()
}
