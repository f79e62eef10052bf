//! The schema's history. The same files serve rusqlite, `wrangler d1 migrations` and the Spin store.

/// One numbered file of `migrations/`.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    pub name: &'static str,
    pub sql: &'static str,
}

macro_rules! migrations {
    ($($name:literal),+ $(,)?) => {
        &[$(Migration { name: $name, sql: include_str!(concat!("../migrations/", $name)) }),+]
    };
}

/// All migrations in order.
pub const MIGRATIONS: &[Migration] = migrations![
    "0001_identity.sql",
    "0002_learning.sql",
    "0003_commerce.sql",
    "0004_certificates.sql",
    "0005_wide_rows.sql",
    "0006_trust.sql",
    "0007_activation.sql",
    "0008_federation.sql",
    "0009_academy.sql",
    "0010_privacy.sql",
    "0011_people.sql",
    "0012_passkey.sql",
    "0013_provider_deletion.sql",
    "0014_shop.sql",
    "0015_cart.sql",
    "0016_reviews.sql",
    "0017_offers.sql",
    "0018_shop_window.sql",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_listed_in_order() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        assert_eq!(files, MIGRATIONS.iter().map(|migration| migration.name).collect::<Vec<_>>());
    }

    #[test]
    fn published_courses_outlive_the_move_to_tables_with_row_ids() {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        let wide = MIGRATIONS.iter().position(|migration| migration.name == "0005_wide_rows.sql").unwrap();
        for migration in &MIGRATIONS[..wide] {
            connection.execute_batch(migration.sql).unwrap();
        }
        connection
            .execute_batch(
                "INSERT INTO tenant VALUES ('t', 't', 'T', 'tr', '#000000', 'active', 1, 0); \
                 INSERT INTO course VALUES ('t', 'c', 'isik', 3, 'Işık', '', '{}', 1, 60, 5, NULL); \
                 INSERT INTO lesson VALUES ('t', 'c', 3, 'l', 'quiz', NULL, NULL, '{}', 'Ders', 'ders'); \
                 INSERT INTO answer_key VALUES ('t', 'c', 3, 'l', '{}')",
            )
            .unwrap();
        connection.execute_batch(MIGRATIONS[wide].sql).unwrap();
        for table in ["course", "lesson", "answer_key"] {
            let row = format!(
                "SELECT version, (SELECT wr FROM pragma_table_list WHERE name = '{table}') FROM {table} \
                 WHERE tenant_id = 't'"
            );
            let found: (i64, i64) =
                connection.query_row(&row, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
            assert_eq!(found, (3, 0), "{table}");
        }
    }

    #[test]
    fn reviews_and_their_reports_outlive_the_move_to_tables_where_reviews_wait() {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        connection.pragma_update(None, "foreign_keys", true).unwrap();
        let window =
            MIGRATIONS.iter().position(|migration| migration.name == "0018_shop_window.sql").unwrap();
        for migration in &MIGRATIONS[..window] {
            connection.execute_batch(migration.sql).unwrap();
        }
        connection
            .execute_batch(
                "INSERT INTO tenant (id, slug, name, locale, brand_colour, state, generation, created_at) \
                 VALUES ('t', 't', 'T', 'tr', '#000000', 'active', 1, 0); \
                 INSERT INTO course (tenant_id, id, slug, version, title, summary, outline, lesson_count, \
                 duration_seconds, published_at) VALUES ('t', 'c', 'isik', 1, 'Işık', '', '{}', 1, 60, 5); \
                 INSERT INTO review VALUES ('t', 'r', 'c', 'p', 4, 'İyi', 'shown', NULL, NULL, NULL, 1, 0, 0); \
                 INSERT INTO review_report VALUES ('t', 'r', 'q', 'other', 0, NULL); \
                 INSERT INTO share_visit VALUES ('t', 'c', 1, 'x', 7)",
            )
            .unwrap();
        connection.execute_batch(MIGRATIONS[window].sql).unwrap();
        let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(
            count("SELECT count(*) FROM review JOIN review_report ON review_id = id WHERE text = 'İyi'"),
            1
        );
        assert_eq!(count("SELECT visits FROM link_visit"), 7);
        assert_eq!(count("SELECT count(*) FROM course_figures WHERE course_id = 'c' AND standing = 0"), 1);
        connection.execute_batch("UPDATE review SET state = 'waiting'; DELETE FROM review").unwrap();
        assert_eq!(count("SELECT count(*) FROM review_report"), 0, "they still go with it");
    }
}
