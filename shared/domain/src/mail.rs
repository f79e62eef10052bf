//! What Akademi writes to people.

use serde::{Deserialize, Serialize};

/// A kind of e-mail: one template in each language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MailKind {
    /// With a link that confirms the address and so makes the account.
    ConfirmAddress,
    /// To somebody who registers again: there is an account, and a link for a new password.
    AlreadyRegistered,
    /// With a link for a new password.
    ResetPassword,
    /// The password has been changed, and other devices were signed out.
    PasswordChanged,
    /// The second factor was switched on or off.
    SecondFactorChanged,
    /// A passkey signs in from now on.
    PasskeyAdded,
    /// An identity at a provider signs in from now on.
    IdentityLinked,
    /// One signs in no more.
    IdentityUnlinked,
    /// Staff invites somebody, with a link to choose a password.
    Invitation,
    /// An order's invoice is issued; leads to the order.
    InvoiceIssued,
    /// The invoice that gives a part of an order back is issued; leads to the order.
    CreditNoteIssued,
}

impl MailKind {
    pub const ALL: [Self; 11] = [
        Self::ConfirmAddress,
        Self::AlreadyRegistered,
        Self::ResetPassword,
        Self::PasswordChanged,
        Self::SecondFactorChanged,
        Self::PasskeyAdded,
        Self::IdentityLinked,
        Self::IdentityUnlinked,
        Self::Invitation,
        Self::InvoiceIssued,
        Self::CreditNoteIssued,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::ConfirmAddress => "confirm_address",
            Self::AlreadyRegistered => "already_registered",
            Self::ResetPassword => "reset_password",
            Self::PasswordChanged => "password_changed",
            Self::SecondFactorChanged => "second_factor_changed",
            Self::PasskeyAdded => "passkey_added",
            Self::IdentityLinked => "identity_linked",
            Self::IdentityUnlinked => "identity_unlinked",
            Self::Invitation => "invitation",
            Self::InvoiceIssued => "invoice_issued",
            Self::CreditNoteIssued => "credit_note_issued",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// What the mail's one-time link is for, if it has one.
    pub const fn link(self) -> Option<LinkPurpose> {
        match self {
            Self::ConfirmAddress => Some(LinkPurpose::ConfirmAddress),
            Self::AlreadyRegistered | Self::ResetPassword => Some(LinkPurpose::ResetPassword),
            Self::Invitation => Some(LinkPurpose::AcceptInvitation),
            Self::PasswordChanged
            | Self::SecondFactorChanged
            | Self::PasskeyAdded
            | Self::IdentityLinked
            | Self::IdentityUnlinked
            | Self::InvoiceIssued
            | Self::CreditNoteIssued => None,
        }
    }

    /// Whether the mail leads to the page of an order.
    pub const fn leads_to_order(self) -> bool {
        matches!(self, Self::InvoiceIssued | Self::CreditNoteIssued)
    }
}

/// What a one-time link allows its holder to do, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkPurpose {
    ConfirmAddress,
    ResetPassword,
    AcceptInvitation,
}

impl LinkPurpose {
    pub const fn name(self) -> &'static str {
        match self {
            Self::ConfirmAddress => "confirm_address",
            Self::ResetPassword => "reset_password",
            Self::AcceptInvitation => "accept_invitation",
        }
    }

    /// The page of the academy's site that the link opens; the token follows as the query `token`. Opening it
    /// changes nothing, since mail scanners do; what is done is done by the page's button.
    pub const fn page(self) -> &'static str {
        match self {
            Self::ConfirmAddress => "/account/confirm",
            Self::ResetPassword => "/account/new-password",
            Self::AcceptInvitation => "/account/invitation",
        }
    }

    /// How long a link is good for.
    pub const fn seconds(self) -> i64 {
        match self {
            Self::ConfirmAddress => 24 * 3600,
            Self::ResetPassword => 30 * 60,
            Self::AcceptInvitation => 7 * 24 * 3600,
        }
    }
}
