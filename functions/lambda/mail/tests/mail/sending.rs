//! What arrives.

use akademi_api::links::LinkKeys;
use akademi_domain::mail::{LinkPurpose, MailKind};
use akademi_mail::Delivered;

use crate::{
    academy::{ACADEMY, NAME, ROOT, Wanted, World, address, link, mail_id, order, tenant, wanted},
    smtp_server::SmtpServer,
};

#[tokio::test]
async fn a_turkish_mail_arrives_whole_with_its_link() {
    let world = World::new().await;
    world.want(1, &wanted(1)).await;
    assert_eq!(world.deliver().await, Delivered { sent: 1, ..Delivered::default() });
    let taken = world.server.taken(1);
    let [message] = &taken[..] else { panic!("{taken:?}") };
    assert_eq!((message.from.as_str(), &message.to), ("posta@akademi.example", &vec![address(1)]));

    let mail = message.parsed();
    assert_eq!(mail.subject(), Some("Parolanızı yenileyin"));
    let from = mail.from().unwrap().first().unwrap();
    assert_eq!((from.name(), from.address()), (Some(ACADEMY), Some("posta@akademi.example")));
    let to = mail.to().unwrap().first().unwrap();
    assert_eq!((to.name(), to.address()), (Some(NAME), Some("ogrenci1@example.com")));
    assert_eq!(mail.message_id(), Some(format!("{}@akademi.example", mail_id(1)).as_str()));
    assert_eq!(mail.date().unwrap().to_rfc3339(), "2026-09-21T14:13:20Z");
    assert_eq!(message.raw_header("Auto-Submitted"), "auto-generated");
    assert!(message.raw_header("Content-Type").starts_with("multipart/alternative"));
    assert!(message.bytes.is_ascii(), "any server on the way takes it");

    let token = LinkKeys::from_config(ROOT).unwrap().token(LinkPurpose::ResetPassword, tenant(1), link());
    let url = format!("https://akademi.umraniye.example/account/new-password?token={token}");
    let (text, html) = (mail.body_text(0).unwrap(), mail.body_html(0).unwrap());
    assert_eq!((mail.text_body_count(), mail.html_body_count()), (1, 1));
    for part in [&text, &html] {
        for shown in [&format!("Merhaba {NAME},"), ACADEMY, &url, "30 dakika boyunca geçerlidir", "değişmez"]
        {
            assert!(part.contains(shown), "it lacks {shown}: {part}");
        }
    }
    assert!(html.contains(&format!("<a href=\"{url}\"")) && !text.contains('<'));
}

#[tokio::test]
async fn the_language_is_the_mail_s_and_a_kind_without_a_link_has_none() {
    let world = World::new().await;
    let english = Wanted { kind: MailKind::PasswordChanged, locale: "en", ..wanted(1) };
    world.want(2, &english).await;
    world.deliver().await;
    let taken = world.server.taken(1);
    let mail = taken[0].parsed();
    assert_eq!(mail.subject(), Some("Your password was changed"));
    let text = mail.body_text(0).unwrap();
    assert!(text.contains("Kadıköy Academy") && !text.contains("token="), "{text}");
}

#[tokio::test]
async fn a_mail_about_an_invoice_leads_to_the_order_in_either_language() {
    let world = World::new().await;
    let kinds = [
        (MailKind::InvoiceIssued, "tr", "Faturanız düzenlendi", "Siparişime git"),
        (MailKind::CreditNoteIssued, "tr", "İade faturanız düzenlendi", "Siparişime git"),
        (MailKind::InvoiceIssued, "en", "Your invoice is issued", "See my order"),
        (MailKind::CreditNoteIssued, "en", "Your credit note is issued", "See my order"),
    ];
    for (n, (kind, locale, ..)) in (1..).zip(kinds) {
        world.want(1, &Wanted { kind, locale, ..wanted(n) }).await;
    }
    assert_eq!(world.deliver().await.sent, 4);
    let taken = world.server.taken(4);
    let url = format!("https://akademi.umraniye.example/orders/{}", order());
    for (n, (kind, _, subject, button)) in (1..).zip(kinds) {
        let mail = taken.iter().find(|message| message.to == [address(n)]).unwrap().parsed();
        assert_eq!(mail.subject(), Some(subject), "{kind:?}");
        let (text, html) = (mail.body_text(0).unwrap(), mail.body_html(0).unwrap());
        for part in [&text, &html] {
            assert!(part.contains(&url) && part.contains(button) && part.contains(ACADEMY), "{part}");
            let tells_a_life = part.contains("geçerlidir") || part.contains("is good for");
            assert!(!tells_a_life && !part.contains("token="), "{part}");
        }
        assert!(html.contains(&format!("<a href=\"{url}\"")), "{html}");
    }
}

#[tokio::test]
async fn on_this_machine_links_name_the_port() {
    let world = World::new().await;
    world.want(1, &Wanted { host: "umraniye.localhost", ..wanted(1) }).await;
    world.want(1, &wanted(2)).await;
    let mail = world.mail.clone().with_local_port(3000);
    mail.deliver_due(|| true).await.unwrap();
    let taken = world.server.taken(2);
    let text = |n: u8| {
        let message = taken.iter().find(|message| message.to == [address(n)]).unwrap();
        message.parsed().body_text(0).unwrap().into_owned()
    };
    assert!(text(1).contains("http://umraniye.localhost:3000/account/new-password?token="), "{}", text(1));
    assert!(text(2).contains("https://akademi.umraniye.example/account/"), "{}", text(2));
}

#[tokio::test]
async fn a_name_writes_no_header_and_no_markup() {
    let world = World::new().await;
    let name = "Ali\r\nBcc: kurban@example.com\r\n\r\n<script>alert(1);";
    world.want(1, &Wanted { name, ..wanted(1) }).await;
    let academy = "UPDATE tenant SET name = E'Işık\\r\\nBcc: kurban@example.com\\r\\n<img src=x>' WHERE slug = 'academy-1'";
    world.execute(academy).await;
    world.deliver().await;
    let taken = world.server.taken(1);
    let [message] = &taken[..] else { panic!("{taken:?}") };
    assert_eq!(message.to, [address(1)]);
    let mail = message.parsed();
    assert!(mail.bcc().is_none() && mail.message_id().is_some(), "{:?}", mail.headers());
    let names: Vec<_> = mail.headers().iter().map(|header| header.name().to_owned()).collect();
    assert_eq!(names.len(), 8, "{names:?}");
    let html = mail.body_html(0).unwrap();
    assert!(!html.contains("<script") && !html.contains("<img"), "{html}");
}

#[tokio::test]
async fn a_server_that_wants_a_password_gets_it_and_a_wrong_one_costs_no_mail() {
    let server = SmtpServer::demanding(&["akademi", "p@ss:ö"]);
    let world = World::with_server(server, |url| url.replace("//", "//akademi:wrong@")).await;
    world.want(1, &wanted(1)).await;
    let put_off = world.deliver().await;
    assert_eq!((put_off.put_off, put_off.failed), (1, 0));
    assert_eq!(world.listed(1, "").await[0]["reason"], "the mail server does not let us in (535)");
    world.clock.advance_seconds(5);
    let right = crate::academy::mailer(&world.server.url().replace("//", "//akademi:p%40ss%3A%C3%B6@"));
    assert_eq!(world.mail_by(right).deliver_due(|| true).await.unwrap().sent, 1);
    assert_eq!(world.server.taken(1).len(), 1);
}

#[tokio::test]
async fn nothing_is_sent_in_clear_where_secrecy_is_asked_for() {
    let world = World::with_server(SmtpServer::start(), |url| url + "?tls=required").await;
    world.want(1, &wanted(1)).await;
    assert_eq!(world.deliver().await.put_off, 1);
    assert_eq!(world.server.taken(0).len(), 0);
}
