//! The page's own words, and days as its language writes them.

use akademi_domain::time::Day;
use jiff::civil;

/// What the page says in one language.
pub struct Phrases {
    /// BCP 47.
    pub language: &'static str,
    pub title: &'static str,
    pub valid: &'static str,
    pub compare: &'static str,
    pub revoked: &'static str,
    /// The day of the revocation stands between these two.
    pub before_day: &'static str,
    pub after_day: &'static str,
    pub not_found: &'static str,
    pub not_found_advice: &'static str,
    pub holder: &'static str,
    /// In the place of the holder's name.
    pub erased: &'static str,
    pub course: &'static str,
    pub academy: &'static str,
    pub completed: &'static str,
    pub issued: &'static str,
    pub serial: &'static str,
    months: [&'static str; 12],
}

const TURKISH: Phrases = Phrases {
    language: "tr",
    title: "Sertifika doğrulama",
    valid: "Sertifika geçerli",
    compare: "Elinizdeki belgeyi aşağıdaki bilgilerle karşılaştırın.",
    revoked: "Sertifika iptal edildi",
    before_day: "Akademi bu sertifikayı",
    after_day: "tarihinde geri aldı; artık geçerli değil.",
    not_found: "Sertifika bulunamadı",
    not_found_advice: "Bu akademinin bu seri numarasıyla verdiği bir sertifika yok. Adresi ya da seri numarasını \
                       belgeyle karşılaştırıp yeniden deneyin.",
    holder: "Kime verildi",
    erased: "Kişisel verileri silindi",
    course: "Eğitim",
    academy: "Veren",
    completed: "Tamamlanma tarihi",
    issued: "Veriliş tarihi",
    serial: "Seri no",
    months: [
        "Ocak", "Şubat", "Mart", "Nisan", "Mayıs", "Haziran", "Temmuz", "Ağustos", "Eylül", "Ekim", "Kasım",
        "Aralık",
    ],
};

const ENGLISH: Phrases = Phrases {
    language: "en",
    title: "Certificate check",
    valid: "This certificate is valid",
    compare: "Compare the document you were shown with the details below.",
    revoked: "This certificate was revoked",
    before_day: "The academy took this certificate back on",
    after_day: "and it is no longer valid.",
    not_found: "Certificate not found",
    not_found_advice: "This academy has issued no certificate with this serial number. Check the address or the \
                       serial number against the document and try again.",
    holder: "Awarded to",
    erased: "Their personal data was erased",
    course: "Course",
    academy: "Issued by",
    completed: "Completed on",
    issued: "Issued on",
    serial: "Serial number",
    months: [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
};

impl Phrases {
    /// The words of an academy's language (BCP 47); English where there are none.
    pub fn of(locale: &str) -> &'static Self {
        match locale {
            "tr" => &TURKISH,
            _ => &ENGLISH,
        }
    }

    /// A day as `21 Kasım 2026`.
    pub fn day(&self, day: Day) -> String {
        let month = |date: civil::Date| self.months.get(usize::try_from(date.month() - 1).ok()?);
        match day.date().and_then(|date| Some((date, month(date)?))) {
            Some((date, month)) => format!("{} {month} {}", date.day(), date.year()),
            None => day.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_written_in_the_academys_language() {
        let day = |text: &str| text.parse::<Day>().unwrap();
        assert_eq!(Phrases::of("tr").day(day("2026-11-21")), "21 Kasım 2026");
        assert_eq!(Phrases::of("en").day(day("2026-11-21")), "21 November 2026");
        assert_eq!(Phrases::of("tr").day(day("2024-02-29")), "29 Şubat 2024");
        assert_eq!(Phrases::of("tr").day(day("2026-01-01")), "1 Ocak 2026");
        assert_eq!(Phrases::of("en").day(day("2026-12-31")), "31 December 2026");
        let after_9999 = day("9999-12-31").plus(1);
        assert_eq!(Phrases::of("en").day(after_9999), after_9999.to_string());
    }
}
