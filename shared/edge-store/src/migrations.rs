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
    "0018_watching.sql",
    "0019_marks.sql",
    "0020_playback.sql",
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
    fn published_lessons_outlive_the_coming_of_other_kinds() {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        let marks = MIGRATIONS.iter().position(|migration| migration.name == "0019_marks.sql").unwrap();
        for migration in &MIGRATIONS[..marks] {
            connection.execute_batch(migration.sql).unwrap();
        }
        let insert = |id: &str, kind: &str| {
            format!(
                "INSERT INTO lesson (tenant_id, course_id, version, id, kind, duration_seconds, requirement, body, title, \
                 words, opens) VALUES ('t', 'c', 3, '{id}', '{kind}', 60, '{{}}', '{{}}', 'Ders', 'ders', '{{\"days\":7}}')"
            )
        };
        connection.execute_batch(&insert("l", "video")).unwrap();
        assert!(connection.execute_batch(&insert("m", "live")).is_err());
        connection.execute_batch(MIGRATIONS[marks].sql).unwrap();
        let columns = "SELECT kind || duration_seconds || words || opens FROM lesson WHERE tenant_id = 't'";
        let kept: String = connection.query_row(columns, [], |row| row.get(0)).unwrap();
        assert_eq!(kept, "video60ders{\"days\":7}");
        for kind in ["live", "assignment"] {
            connection.execute_batch(&insert(kind, kind)).unwrap();
        }
        assert!(connection.execute_batch(&insert("x", "game")).is_err());
    }

    #[test]
    fn courses_of_before_the_reviews_have_figures() {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        let reviews = MIGRATIONS.iter().position(|migration| migration.name == "0016_reviews.sql").unwrap();
        for migration in &MIGRATIONS[..reviews] {
            connection.execute_batch(migration.sql).unwrap();
        }
        connection
            .execute_batch(
                "INSERT INTO tenant (id, slug, name, locale, brand_colour, state, generation, created_at) \
                 VALUES ('t', 't', 'T', 'tr', '#000000', 'active', 1, 0); \
                 INSERT INTO course (tenant_id, id, slug, version, title, summary, outline, lesson_count, \
                 duration_seconds, published_at) VALUES ('t', 'c', 'isik', 1, 'Işık', '', '{}', 1, 60, 5)",
            )
            .unwrap();
        connection.execute_batch(MIGRATIONS[reviews].sql).unwrap();
        let standing = "SELECT standing FROM course_figures WHERE course_id = 'c'";
        assert_eq!(connection.query_row(standing, [], |row| row.get::<_, i64>(0)).unwrap(), 0);
    }
}
