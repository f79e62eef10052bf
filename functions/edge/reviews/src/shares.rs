//! Links that are shared: a course's address with a mark of where it is shared, and the networks' own pages for it.

use akademi_api::{
    Academy, Body, PathParam, Problem,
    caller::AcademyHost,
    public_url::{public_url, with_local_port},
};
use axum::extract::State;
use http::{HeaderMap, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use crate::{Reviews, store};

/// Where a link is shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShareSource {
    Whatsapp,
    X,
    Facebook,
    Linkedin,
    Telegram,
    Email,
    /// The link was copied.
    Copy,
}

impl ShareSource {
    pub const ALL: [Self; 7] =
        [Self::Whatsapp, Self::X, Self::Facebook, Self::Linkedin, Self::Telegram, Self::Email, Self::Copy];

    /// The mark in links.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Whatsapp => "whatsapp",
            Self::X => "x",
            Self::Facebook => "facebook",
            Self::Linkedin => "linkedin",
            Self::Telegram => "telegram",
            Self::Email => "email",
            Self::Copy => "copy",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.name() == name)
    }

    /// Where the network takes a link: click to chat (WhatsApp), web intent (X), sharer (Facebook), share-offsite
    /// (LinkedIn), share widget (Telegram), RFC 6068 (e-mail).
    fn address(self, title: &str, link: &str) -> Option<String> {
        let (title, link) = (encoded(title), encoded(link));
        let address = match self {
            Self::Whatsapp => format!("https://wa.me/?text={title}%20{link}"),
            Self::X => format!("https://x.com/intent/post?text={title}&url={link}"),
            Self::Facebook => format!("https://www.facebook.com/sharer/sharer.php?u={link}"),
            Self::Linkedin => format!("https://www.linkedin.com/sharing/share-offsite/?url={link}"),
            Self::Telegram => format!("https://t.me/share/url?url={link}&text={title}"),
            Self::Email => format!("mailto:?subject={title}&body={link}"),
            Self::Copy => return None,
        };
        Some(address)
    }
}

/// All but what RFC 3986 §2.3 leaves as it is. A space is `%20`: in a `mailto:` a `+` is a plus.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// The mark of a link.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShareMark {
    pub via: ShareSource,
}

/// A link to share.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ShareLink {
    via: ShareSource,
    /// The course's page, with the mark.
    url: String,
    /// The network's page that takes the link, or a letter to write; `null` for a link to copy.
    share_url: Option<String>,
}

/// A link to share a course by
///
/// Its visits are counted from then on. Nobody is known by it: everybody who shares the course there has the same link.
#[utoipa::path(post, path = "/api/v1/catalog/courses/{slug}/shares", tag = "reviews", request_body = ShareMark,
    params(("slug" = String, Path, description = "The course's slug")),
    responses((status = 200, description = "The link", body = ShareLink)))]
pub async fn share(
    State(reviews): State<Reviews>,
    academy: Academy,
    AcademyHost(host): AcademyHost,
    headers: HeaderMap,
    target: Uri,
    PathParam(slug): PathParam<String>,
    Body(ShareMark { via }): Body<ShareMark>,
) -> Result<Body<ShareLink>, Problem> {
    let database = reviews.edge.tenant(academy.id);
    let found = store::find_shared_course(&database, &slug, via).await?.ok_or_else(Problem::not_found)?;
    if !found.is_made {
        database.batch(vec![store::make_link(found.course, via, reviews.edge.ports.now())]).await?;
    }
    let host = with_local_port(host, &headers, &target);
    let path = format!("/courses/{}?via={}", encoded(&slug), via.name());
    let url = public_url(&host, &path).map_err(Problem::broken)?.to_string();
    let share_url = via.address(&found.title, &url);
    Ok(Body(ShareLink { via, url, share_url }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use percent_encoding::percent_decode_str;

    #[test]
    fn an_address_holds_turkish_letters_and_signs_whole() {
        let (title, link) =
            ("Işık & Gölge: %100 “İyi” #1 + 2?", "https://okul.example/courses/isik?via=x&a=1");
        for source in ShareSource::ALL {
            assert_eq!(ShareSource::parse(source.name()), Some(source));
            let Some(address) = source.address(title, link) else {
                assert_eq!(source, ShareSource::Copy);
                continue;
            };
            assert!(address.is_ascii() && !address.contains(['+', '#', ' ', '"']), "{address}");
            let (_, query) = address.split_once('?').unwrap();
            let values: Vec<_> = query
                .split('&')
                .map(|pair| pair.split_once('=').unwrap().1)
                .map(|value| percent_decode_str(value).decode_utf8().unwrap().into_owned())
                .collect();
            match source {
                ShareSource::Whatsapp => assert_eq!(values, [format!("{title} {link}")]),
                ShareSource::X | ShareSource::Email => assert_eq!(values, [title, link]),
                ShareSource::Telegram => assert_eq!(values, [link, title]),
                _ => assert_eq!(values, [link]),
            }
        }
    }

    #[test]
    fn a_space_in_a_letter_is_no_plus() {
        let letter = ShareSource::Email.address("Açık Ders", "https://a.example/").unwrap();
        assert_eq!(letter, "mailto:?subject=A%C3%A7%C4%B1k%20Ders&body=https%3A%2F%2Fa.example%2F");
    }
}
