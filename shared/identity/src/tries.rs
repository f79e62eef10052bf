//! By what attempts are counted.

use akademi_domain::{ids::UserId, throttle::Delays};

use crate::{
    Origin,
    throttle::{Counter, ThrottleKeys},
};

impl ThrottleKeys {
    /// Of signing in with a password: the account from there, the account, the address.
    pub fn password_tries(&self, email_lookup: &[u8; 32], origin: &Origin) -> [Counter; 3] {
        let network = origin.network();
        [
            Counter {
                key: self.key(&[b"account from address", email_lookup, &network]),
                delays: Delays::ACCOUNT_FROM_ADDRESS,
                is_trusting: true,
                is_exact: true,
            },
            Counter {
                key: self.key(&[b"account", email_lookup]),
                delays: Delays::ACCOUNT,
                is_trusting: false,
                is_exact: true,
            },
            self.address_tries(b"address", origin),
        ]
    }

    /// Of an address, whatever it tries of that kind.
    pub fn address_tries(&self, kind: &[u8], origin: &Origin) -> Counter {
        Counter {
            key: self.key(&[kind, &origin.network()]),
            delays: Delays::ADDRESS,
            is_trusting: false,
            is_exact: false,
        }
    }

    /// Of mail to one address that strangers can ask for.
    pub fn mail_tries(&self, email_lookup: &[u8; 32]) -> Counter {
        Counter {
            key: self.key(&[b"mail", email_lookup]),
            delays: Delays::MAIL,
            is_trusting: false,
            is_exact: true,
        }
    }

    /// Of codes of somebody's second factor.
    pub fn code_tries(&self, person: UserId) -> Counter {
        Counter {
            key: self.key(&[b"second factor", person.as_uuid().as_bytes()]),
            delays: Delays::CODE,
            is_trusting: false,
            is_exact: true,
        }
    }
}
