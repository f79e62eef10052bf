//! What mails say, in each language.

use akademi_domain::mail::MailKind;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    Turkish,
    English,
}

impl Language {
    #[cfg(test)]
    pub const ALL: [Self; 2] = [Self::Turkish, Self::English];

    /// The language of a BCP 47 tag; English for all that have no templates.
    pub fn of(locale: &str) -> Self {
        let is_turkish = locale.split('-').next().is_some_and(|language| language.eq_ignore_ascii_case("tr"));
        if is_turkish { Self::Turkish } else { Self::English }
    }

    /// BCP 47.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Turkish => "tr",
            Self::English => "en",
        }
    }

    pub fn greeting(self, name: Option<&str>) -> String {
        let hello = match self {
            Self::Turkish => "Merhaba",
            Self::English => "Hello",
        };
        name.map_or_else(|| format!("{hello},"), |name| format!("{hello} {name},"))
    }

    /// How long a link is good for.
    pub fn good_for(self, seconds: i64) -> String {
        const MINUTE: i64 = 60;
        const HOUR: i64 = 60 * MINUTE;
        const DAY: i64 = 24 * HOUR;
        let (count, turkish, english) = match seconds {
            _ if seconds > DAY && seconds % DAY == 0 => (seconds / DAY, "gün", "days"),
            _ if seconds > HOUR && seconds % HOUR == 0 => (seconds / HOUR, "saat", "hours"),
            _ => (seconds / MINUTE, "dakika", "minutes"),
        };
        match self {
            Self::Turkish => {
                format!("Bağlantı {count} {turkish} boyunca geçerlidir ve yalnızca bir kez kullanılabilir.")
            }
            Self::English => format!("The link is good for {count} {english} and can be used once."),
        }
    }

    pub const fn in_clear(self) -> &'static str {
        match self {
            Self::Turkish => "Düğme çalışmıyorsa bu adresi tarayıcınıza yapıştırın:",
            Self::English => "If the button does not work, paste this address into your browser:",
        }
    }
}

/// A kind of mail in one language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    pub subject: String,
    pub what: String,
    /// On the button, where the kind has a link.
    pub button: &'static str,
    /// Why they got it, and what to do if it was not them.
    pub why: String,
}

impl Words {
    pub fn of(language: Language, kind: MailKind, academy: &str) -> Self {
        match language {
            Language::Turkish => turkish(kind, academy),
            Language::English => english(kind, academy),
        }
    }
}

fn turkish(kind: MailKind, academy: &str) -> Words {
    let (subject, what, button, why) = match kind {
        MailKind::ConfirmAddress => (
            "E-posta adresinizi doğrulayın".to_owned(),
            format!("{academy} hesabınızın açılması için bu adresin sizin olduğunu doğrulayın."),
            "Adresimi doğrula",
            format!(
                "Bu e-postayı, {academy} sitesinde bu adresle kayıt olunduğu için aldınız. Kayıt olan siz değilseniz \
                 bir şey yapmanıza gerek yok: hesap açılmaz."
            ),
        ),
        MailKind::AlreadyRegistered => (
            "Zaten bir hesabınız var".to_owned(),
            format!(
                "{academy} sitesinde bu adresle yeniden kayıt olunmak istendi; bu adresin zaten bir hesabı var. \
                 Parolanızı unuttuysanız yenisini belirleyebilirsiniz."
            ),
            "Yeni parola belirle",
            format!(
                "Bu e-postayı, {academy} sitesinde bu adresle kayıt olunmak istendiği için aldınız. İsteyen siz \
                 değilseniz bir şey yapmanıza gerek yok: hesabınız olduğu gibi kalır."
            ),
        ),
        MailKind::ResetPassword => (
            "Parolanızı yenileyin".to_owned(),
            format!("{academy} hesabınız için yeni bir parola belirleyebilirsiniz."),
            "Yeni parola belirle",
            format!(
                "Bu e-postayı, {academy} sitesinde bu adres için parolanın unutulduğu bildirildiği için aldınız. \
                 Bildiren siz değilseniz bir şey yapmanıza gerek yok: parolanız değişmez."
            ),
        ),
        MailKind::PasswordChanged => (
            "Parolanız değiştirildi".to_owned(),
            format!(
                "{academy} hesabınızın parolası değiştirildi ve diğer cihazlardaki oturumlarınız kapatıldı. Bunu siz \
                 yapmadıysanız, hemen giriş sayfasından yeni bir parola isteyin ve akademinize haber verin."
            ),
            "",
            format!("Bu e-postayı, {academy} hesabınızın güvenliği için aldınız."),
        ),
        MailKind::SecondFactorChanged => (
            "İki adımlı girişiniz değişti".to_owned(),
            format!(
                "{academy} hesabınızda iki adımlı giriş açıldı, kapatıldı ya da değiştirildi. Bunu siz yapmadıysanız, \
                 hemen giriş sayfasından yeni bir parola isteyin ve akademinize haber verin."
            ),
            "",
            format!("Bu e-postayı, {academy} hesabınızın güvenliği için aldınız."),
        ),
        MailKind::PasskeyAdded => (
            "Hesabınıza bir geçiş anahtarı eklendi".to_owned(),
            format!(
                "{academy} hesabınıza yeni bir geçiş anahtarı eklendi; artık onunla parolasız giriş yapılabilir. Bunu siz \
                 yapmadıysanız, hemen hesabınızdan anahtarı kaldırın, parolanızı değiştirin ve akademinize haber verin."
            ),
            "",
            format!("Bu e-postayı, {academy} hesabınızın güvenliği için aldınız."),
        ),
        MailKind::IdentityLinked => (
            "Hesabınıza başka bir kimlik bağlandı".to_owned(),
            format!(
                "{academy} hesabınıza başka bir sağlayıcıdaki bir kimlik bağlandı; artık onunla da giriş yapılabilir. Bunu \
                 siz yapmadıysanız, hemen hesabınızdan bağlantıyı kaldırın, parolanızı değiştirin ve akademinize haber verin."
            ),
            "",
            format!("Bu e-postayı, {academy} hesabınızın güvenliği için aldınız."),
        ),
        MailKind::IdentityUnlinked => (
            "Hesabınıza bağlı bir kimlik kaldırıldı".to_owned(),
            format!(
                "{academy} hesabınıza bağlı olan, başka bir sağlayıcıdaki bir kimlik kaldırıldı; artık onunla giriş \
                 yapılamaz. Bunu siz istemediyseniz, giriş sayfasından yeni bir parola isteyin ve akademinize haber verin."
            ),
            "",
            format!("Bu e-postayı, {academy} hesabınızın güvenliği için aldınız."),
        ),
        MailKind::Invitation => (
            format!("{academy} sizi davet ediyor"),
            format!("{academy} sizin için bir hesap hazırladı. Başlamak için parolanızı belirleyin."),
            "Daveti kabul et",
            format!(
                "Bu e-postayı, {academy} yöneticileri sizi bu adresle davet ettiği için aldınız. İstemiyorsanız bir \
                 şey yapmanıza gerek yok."
            ),
        ),
        MailKind::InvoiceIssued => (
            "Faturanız düzenlendi".to_owned(),
            format!(
                "{academy} siparişinizin faturası düzenlendi. Siparişinizin sayfasından indirebilirsiniz."
            ),
            "Siparişime git",
            format!("Bu e-postayı, {academy} sitesinden alışveriş yaptığınız için aldınız."),
        ),
        MailKind::CreditNoteIssued => (
            "İade faturanız düzenlendi".to_owned(),
            format!(
                "{academy} siparişinizden geri verilen tutarın iade faturası düzenlendi. Siparişinizin sayfasından \
                 indirebilirsiniz."
            ),
            "Siparişime git",
            format!(
                "Bu e-postayı, {academy} sitesinden aldığınız bir şeyin bedeli geri verildiği için aldınız."
            ),
        ),
    };
    Words { subject, what, button, why }
}

fn english(kind: MailKind, academy: &str) -> Words {
    let (subject, what, button, why) = match kind {
        MailKind::ConfirmAddress => (
            "Confirm your e-mail address".to_owned(),
            format!("Confirm that this address is yours, and your account at {academy} is ready."),
            "Confirm my address",
            format!(
                "You got this because somebody registered at {academy} with this address. If it was not you, there is \
                 nothing to do: no account is made."
            ),
        ),
        MailKind::AlreadyRegistered => (
            "You already have an account".to_owned(),
            format!(
                "Somebody asked to register at {academy} with this address again; it has an account already. If you \
                 forgot your password, you can choose a new one."
            ),
            "Choose a new password",
            format!(
                "You got this because somebody asked to register at {academy} with this address. If it was not you, \
                 there is nothing to do: your account stays as it is."
            ),
        ),
        MailKind::ResetPassword => (
            "Choose a new password".to_owned(),
            format!("You can choose a new password for your account at {academy}."),
            "Choose a new password",
            format!(
                "You got this because somebody said at {academy} that the password for this address was forgotten. If \
                 it was not you, there is nothing to do: your password stays as it is."
            ),
        ),
        MailKind::PasswordChanged => (
            "Your password was changed".to_owned(),
            format!(
                "The password of your account at {academy} was changed, and your other devices were signed out. If it \
                 was not you, ask for a new password on the sign-in page at once, and tell your academy."
            ),
            "",
            format!("You got this for the safety of your account at {academy}."),
        ),
        MailKind::SecondFactorChanged => (
            "Your two-step sign-in was changed".to_owned(),
            format!(
                "Two-step sign-in of your account at {academy} was switched on, switched off or changed. If it was not \
                 you, ask for a new password on the sign-in page at once, and tell your academy."
            ),
            "",
            format!("You got this for the safety of your account at {academy}."),
        ),
        MailKind::PasskeyAdded => (
            "A passkey was added to your account".to_owned(),
            format!(
                "A new passkey was added to your account at {academy}: from now on it signs in without a password. If it \
                 was not you, remove it from your account at once, change your password, and tell your academy."
            ),
            "",
            format!("You got this for the safety of your account at {academy}."),
        ),
        MailKind::IdentityLinked => (
            "Another identity was linked to your account".to_owned(),
            format!(
                "An identity at another provider was linked to your account at {academy}: from now on it signs in too. If \
                 it was not you, unlink it in your account at once, change your password, and tell your academy."
            ),
            "",
            format!("You got this for the safety of your account at {academy}."),
        ),
        MailKind::IdentityUnlinked => (
            "An identity was unlinked from your account".to_owned(),
            format!(
                "An identity at another provider was unlinked from your account at {academy}: it signs in no more. If you \
                 did not ask for it, ask for a new password on the sign-in page, and tell your academy."
            ),
            "",
            format!("You got this for the safety of your account at {academy}."),
        ),
        MailKind::Invitation => (
            format!("{academy} invites you"),
            format!("{academy} has prepared an account for you. Choose your password to begin."),
            "Accept the invitation",
            format!(
                "You got this because staff of {academy} invited you by this address. If you do not want it, there is \
                 nothing to do."
            ),
        ),
        MailKind::InvoiceIssued => (
            "Your invoice is issued".to_owned(),
            format!(
                "The invoice of your order at {academy} is issued. You can download it on the page of your order."
            ),
            "See my order",
            format!("You got this because you bought something at {academy}."),
        ),
        MailKind::CreditNoteIssued => (
            "Your credit note is issued".to_owned(),
            format!(
                "The credit note for what was given back of your order at {academy} is issued. You can download it on \
                 the page of your order."
            ),
            "See my order",
            format!("You got this because money for something that you bought at {academy} was given back."),
        ),
    };
    Words { subject, what, button, why }
}
