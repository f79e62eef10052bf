//! A mail's words in their templates: the same in plain text and in HTML.

use akademi_domain::{colour::Colour, mail::MailKind};
use askama::Template;

use crate::words::{Language, Words};

/// Who writes.
pub struct Academy {
    pub name: String,
    pub brand: Colour,
    /// The start page's address.
    pub site: String,
}

/// What the mail lets its reader do.
pub struct Link {
    pub url: String,
    /// How long it is good for from when it was wanted, in seconds; `None` for a page that stays.
    pub seconds: Option<i64>,
}

/// A mail as it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    pub subject: String,
    pub text: String,
    pub html: String,
}

struct ShownLink<'a> {
    url: &'a str,
    good_for: Option<String>,
}

#[derive(Template)]
#[template(path = "mail.txt")]
struct Text<'a> {
    greeting: &'a str,
    words: &'a Words,
    link: Option<&'a ShownLink<'a>>,
    academy: &'a str,
    site: &'a str,
}

#[derive(Template)]
#[template(path = "mail.html")]
struct Html<'a> {
    language: Language,
    greeting: &'a str,
    words: &'a Words,
    link: Option<&'a ShownLink<'a>>,
    academy: &'a str,
    brand: Colour,
    site: &'a str,
}

/// A mail of this kind to somebody of this name.
///
/// # Errors
/// When a template does not render: a defect of ours.
pub fn render(
    kind: MailKind,
    language: Language,
    academy: &Academy,
    name: Option<&str>,
    link: Option<&Link>,
) -> askama::Result<Rendered> {
    let words = Words::of(language, kind, &academy.name);
    let greeting = language.greeting(name);
    let link = link.map(|link| ShownLink {
        url: &link.url,
        good_for: link.seconds.map(|seconds| language.good_for(seconds)),
    });
    let (link, site) = (link.as_ref(), academy.site.as_str());
    let text = Text { greeting: &greeting, words: &words, link, academy: &academy.name, site }.render()?;
    let html = Html {
        language,
        greeting: &greeting,
        words: &words,
        link,
        academy: &academy.name,
        brand: academy.brand,
        site,
    };
    let html = html.render()?;
    Ok(Rendered { subject: words.subject, text, html })
}

/// A name without line breaks and other controls, none of which a header can hold.
pub fn one_line(name: &str) -> String {
    let words = name.split(|c: char| c.is_whitespace() || c.is_control());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A name to greet by, on one line; none where it holds an address, since whoever registers a stranger could have us send
/// them anything.
pub fn greetable(name: &str) -> Option<String> {
    let line = one_line(name);
    let is_address = |word: &str| {
        let after_dot = word.rsplit_once('.').map_or("", |(_, end)| end);
        let is_domain = after_dot.len() >= 2 && after_dot.chars().all(|c| c.is_lowercase());
        word.contains(['/', '@']) || is_domain
    };
    (!line.is_empty() && !line.split(' ').any(is_address)).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use akademi_domain::mail::LinkPurpose;

    const URL: &str = "https://umraniye.example/account/confirm?token=AbC_-9";

    fn academy(name: &str) -> Academy {
        Academy {
            name: name.into(),
            brand: "#0b6e4f".parse().unwrap(),
            site: "https://umraniye.example/".into(),
        }
    }

    #[test]
    fn every_kind_in_every_language_says_what_why_and_where() {
        let academy = academy("Ümraniye Akademisi");
        let mut subjects = Vec::new();
        for kind in MailKind::ALL {
            for language in Language::ALL {
                let seconds = kind.link().map(LinkPurpose::seconds);
                let has_link = seconds.is_some() || kind.leads_to_order();
                let link = has_link.then(|| Link { url: URL.into(), seconds });
                let mail = render(kind, language, &academy, Some("Şükrü"), link.as_ref()).unwrap();
                let (hello, life) = match language {
                    Language::Turkish => ("Merhaba Şükrü,", "geçerlidir"),
                    Language::English => ("Hello Şükrü,", "is good for"),
                };
                let words = Words::of(language, kind, &academy.name);
                for part in [&mail.text, &mail.html] {
                    for shown in [hello, &words.what, &words.why, &academy.name, &academy.site] {
                        assert!(part.contains(shown), "{kind:?} {language:?} lacks {shown}: {part}");
                    }
                    let told = (part.contains(URL), part.contains(life));
                    assert_eq!(told, (has_link, seconds.is_some()), "{part}");
                    assert!(!part.contains("{{") && !part.contains("{%") && !part.contains("{}"), "{part}");
                    if has_link {
                        assert!(!words.button.is_empty() && part.contains(words.button), "{part}");
                    }
                }
                assert!(mail.html.contains(&format!("<html lang=\"{}\">", language.tag())));
                assert!(mail.html.contains("background:#0b6e4f"), "{}", mail.html);
                assert!(!mail.text.contains('<') && !mail.text.contains("\n\n\n"), "{}", mail.text);
                subjects.push(mail.subject);
            }
        }
        assert!(subjects.iter().all(|subject| subject.len() > 10 && !subject.contains('\n')));
        subjects.sort();
        subjects.dedup();
        assert_eq!(
            subjects.len(),
            MailKind::ALL.len() * Language::ALL.len(),
            "each has a subject of its own"
        );
    }

    #[test]
    fn lives_of_links_are_told_in_the_unit_that_people_count_in() {
        let said = |purpose: LinkPurpose| {
            Language::ALL.map(|language| language.good_for(purpose.seconds())).join(" ")
        };
        assert!(said(LinkPurpose::ResetPassword).contains("30 dakika"));
        assert!(said(LinkPurpose::ConfirmAddress).contains("24 hours"));
        assert!(said(LinkPurpose::AcceptInvitation).contains("7 gün"));
        assert!(said(LinkPurpose::AcceptInvitation).contains("7 days"));
    }

    #[test]
    fn markup_in_names_is_shown_and_not_obeyed() {
        let academy = academy("Işık & <script>alert(1)</script>");
        let mail =
            render(MailKind::PasswordChanged, Language::Turkish, &academy, Some("<b>Ali</b>"), None).unwrap();
        assert!(!mail.html.contains("<script") && !mail.html.contains("<b>"), "{}", mail.html);
        assert!(mail.html.contains("&#60;script&#62;"), "{}", mail.html);
        assert!(mail.text.contains("Merhaba <b>Ali</b>,"), "plain text has no markup");
    }

    #[test]
    fn a_name_with_an_address_in_it_is_not_greeted_by() {
        for (name, greeted) in [
            ("Şükrü  Iğdır", Some("Şükrü Iğdır")),
            ("M.Ali Ş. Öz", Some("M.Ali Ş. Öz")),
            ("Ali\r\nBcc: a", Some("Ali Bcc: a")),
            ("Kazandınız https://evil.example/x", None),
            ("evil.com", None),
            ("a@evil.com", None),
            (" \u{0}", None),
        ] {
            assert_eq!(greetable(name).as_deref(), greeted, "{name:?}");
        }
    }
}
