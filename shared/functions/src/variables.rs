//! The values that functions read at their start.

/// A value that a function reads at its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variable {
    /// Lower-case, as Spin names it; the environment and Workers use the upper-case form.
    pub name: &'static str,
    pub secret: bool,
    /// What it is for, as the README's table says it.
    pub meaning: &'static str,
}

/// The keys that sign access tokens: `kid:seed` pairs, base64url, the first one signs.
pub const TOKEN_SIGNING_KEYS: Variable = Variable {
    name: "token_signing_keys",
    secret: true,
    meaning: "Ed25519 seeds that sign access tokens, `kid:seed` in base64url, comma-separated; the first signs",
};
/// The public halves of [`TOKEN_SIGNING_KEYS`].
pub const TOKEN_PUBLIC_KEYS: Variable = Variable {
    name: "token_public_keys",
    secret: false,
    meaning: "Ed25519 public keys that access tokens are checked with, `kid:key` in base64url, comma-separated",
};
/// The root of every secret that the planes share.
pub const PLANE_ROOT_KEYS: Variable = Variable {
    name: "plane_root_keys",
    secret: true,
    meaning: "32-byte roots of the secrets that both planes share, `kid:key` in base64url; the first signs, all verify",
};
/// The edge's master secret for personal data.
pub const EDGE_MASTER_KEY: Variable = Variable {
    name: "edge_master_key",
    secret: true,
    meaning: "32-byte master secret of personal data at the edge, base64url",
};
/// The Lambda plane's master secret for personal data.
pub const LAMBDA_MASTER_KEY: Variable = Variable {
    name: "lambda_master_key",
    secret: true,
    meaning: "32-byte master secret of personal data on the Lambda side, base64url",
};
/// Where `origin` finds the Lambda plane.
pub const LAMBDA_URL: Variable = Variable {
    name: "lambda_url",
    secret: false,
    meaning: "base URL of the Lambda plane, as `origin` calls it",
};
/// Where `sync` finds the edge.
pub const EDGE_URL: Variable = Variable {
    name: "edge_url",
    secret: false,
    meaning: "base URL of the edge's feed function, as `sync` calls it",
};
/// Where PostgreSQL answers.
pub const DATABASE_URL: Variable = Variable {
    name: "database_url",
    secret: true,
    meaning: "PostgreSQL connection URL of the role `akademi_login`",
};

/// Where a folder's files are sent to and read from, apart from the academies' own hosts; a bucket of S3 has a host.
pub const STORAGE_URL: Variable = Variable {
    name: "storage_url",
    secret: false,
    meaning: "base URL of signed links to files, on a host that is no academy's",
};

/// Where the CDN in front of videos answers.
pub const MEDIA_URL: Variable = Variable {
    name: "media_url",
    secret: false,
    meaning: "base URL of the CDN in front of videos and of the pages' scripts (CloudFront), on a host that is no academy's",
};
/// The keys that sign links to videos.
pub const MEDIA_SIGNING_KEYS: Variable = Variable {
    name: "media_signing_keys",
    secret: true,
    meaning: "P-256 private scalars that sign links to videos, `kid:key` in base64url, `kid` as the CDN names the public key; the first signs",
};

/// Who looks for viruses; nobody does where it is not set.
pub const VIRUS_SCANNER: Variable = Variable {
    name: "virus_scanner",
    secret: false,
    meaning: "clamd that looks for viruses in documents and images, `host:port`; nobody does where it is not set",
};

/// The server that mail leaves through.
pub const MAIL_URL: Variable = Variable {
    name: "mail_url",
    secret: true,
    meaning: "SMTP server that mail leaves through, `smtps://user:password@host` or `smtp://…` with STARTTLS",
};
/// Who writes.
pub const MAIL_FROM: Variable = Variable {
    name: "mail_from",
    secret: false,
    meaning: "sender of all mail, `Name <address>`; the academy's name takes the place of the name",
};

/// Where TXT records are looked up.
pub const DNS_URL: Variable = Variable {
    name: "dns_url",
    secret: false,
    meaning: "base URL of DNS over HTTPS with JSON answers at `/dns-query`, as `https://cloudflare-dns.com`",
};
