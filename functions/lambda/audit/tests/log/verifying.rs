//! The program that walks the chains.

use std::process::{Command, Output};

use crate::world::{World, tenant};

fn verify_audit(world: &World, slug: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_verify-audit");
    Command::new(program).args(slug).env("DATABASE_URL", world.database.url()).output().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_names_each_academy_and_the_first_number_that_does_not_follow() {
    let world = World::new().await;
    for (n, slug) in [(1, "kadikoy"), (2, "umraniye")] {
        world
            .execute(&format!(
                "INSERT INTO tenant (id, slug, name, locale, state, brand, domains, updated_at)
                 VALUES ('{}', '{slug}', '', 'tr', 'active', '{{}}', '{{}}', 0)",
                tenant(n),
            ))
            .await;
        for seconds in 0..3 {
            world.add(n, seconds, 1, "price.set", "course:1").await;
        }
    }
    // An academy that the edge has not told of yet.
    world.add(3, 0, 1, "price.set", "course:1").await;
    let text = |output: &Output| String::from_utf8(output.stdout.clone()).unwrap();
    let lines = |first: &str, last: &str| {
        let [one, two, three] = [tenant(3).to_string(), "kadikoy".into(), "umraniye".into()];
        format!("{one:<36}  1 entries  ok\n{two:<36}  {first}\n{three:<36}  3 entries  ok\n{last}\n")
    };
    let whole = verify_audit(&world, &[]);
    assert_eq!(text(&whole), lines("3 entries  ok", "3 passed, 0 failed"));
    assert!(whole.status.success());

    world
        .execute(&format!(
            "ALTER TABLE audit_entry DISABLE TRIGGER USER;
             UPDATE audit_entry SET target = 'course:2' WHERE number = 2 AND tenant_id = '{}'",
            tenant(1)
        ))
        .await;
    let broken = verify_audit(&world, &[]);
    assert_eq!(text(&broken), lines("entry 2 does not follow", "2 passed, 1 failed"));
    assert_eq!(broken.status.code(), Some(1));
    let one = verify_audit(&world, &["umraniye"]);
    assert_eq!(text(&one), "umraniye  3 entries  ok\n1 passed, 0 failed\n");
    assert!(one.status.success());
    assert!(!verify_audit(&world, &["nobody"]).status.success());
}
