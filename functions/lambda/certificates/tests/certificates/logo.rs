//! The academy's logo on its certificates.

use akademi_domain::{
    ids::ImageId,
    permission::{Permissions, Role},
    picture::PictureName,
};
use akademi_lambda_store::pictures::key;
use http::Method;
use jpeg_encoder::{ColorType, Encoder};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    academy::{Who, World, learner, staff, tenant},
    pdf::{Pdf, qr_codes},
    ports::NOW,
};

const LOGO: &str = "/api/v1/academy/certificate-logo";

fn red(width: u16, height: u16) -> Vec<u8> {
    let pixels = [220, 20, 30].repeat(usize::from(width) * usize::from(height));
    let mut file = Vec::new();
    Encoder::new(&mut file, 90).encode(&pixels, width, height, ColorType::Rgb).unwrap();
    file
}

/// An image of two sizes, as `images` makes it; what is stored of it are JPEGs.
async fn image(world: &World, academy: u8, number: u8, preset: &str) -> ImageId {
    let id = ImageId::new(NOW, [number; 10]);
    let mut superuser = world.database.superuser().await.unwrap();
    let made = "INSERT INTO image (tenant_id, id, user_id, upload_id, preset, crop, created_at, ready_at)
                VALUES ($1, $2, $2, $2, $3, '{}', 0, 0)";
    let tenant = tenant(academy);
    sqlx::query(made)
        .bind(tenant.as_uuid())
        .bind(id.as_uuid())
        .bind(preset)
        .execute(&mut superuser)
        .await
        .unwrap();
    for (width, height) in [(160, 80), (640, 320)] {
        let content = red(width, height);
        let name: PictureName = format!("{}.jpg", hex::encode(Sha256::digest(&content))).parse().unwrap();
        sqlx::query(
            "WITH stored AS (INSERT INTO picture (tenant_id, name, bytes) VALUES ($1, $3, $4) ON CONFLICT DO NOTHING)
             INSERT INTO image_file (tenant_id, image_id, name, width, height) VALUES ($1, $2, $3, $5, $6)",
        )
        .bind(tenant.as_uuid())
        .bind(id.as_uuid())
        .bind(name.as_str())
        .bind(i64::try_from(content.len()).unwrap())
        .bind(i32::from(width))
        .bind(i32::from(height))
        .execute(&mut superuser)
        .await
        .unwrap();
        let key = key(tenant, &name).unwrap();
        let kind = "image/jpeg".parse().unwrap();
        world.objects.put(&key, &kind, content.into()).await.unwrap();
    }
    id
}

async fn set(world: &World, who: Who, image: ImageId) -> crate::academy::Answer {
    world.call(who, Method::PUT, LOGO, Some(json!({ "image": image }))).await
}

#[tokio::test]
async fn the_logo_stands_on_every_page_from_then_on() {
    let world = World::new().await;
    let serial = world.complete(1, 1, 1).await;
    let before = world.pdf(learner(1), &serial).await.body;
    assert_eq!(Pdf::from_bytes(&before).pictures(), Vec::<String>::new());
    let logo = image(&world, 1, 1, "certificate_logo").await;
    let answer = set(&world, staff(1), logo).await.expect(200);
    assert_eq!((&answer["image"], answer["files"].as_array().unwrap().len()), (&json!(logo), 2));
    assert_eq!(world.get(staff(1), LOGO).await.expect(200), answer);

    let page = world.pdf(learner(1), &serial).await.body;
    let pdf = Pdf::from_bytes(&page);
    assert_eq!(pdf.pictures(), ["640 320 jpeg"], "the largest");
    // Red beside the academy's name, where the page was white.
    let [red, green, blue] = pdf.dot(62 + 56, 48 + 28);
    assert!(red > 200 && green < 60 && blue < 60, "{red} {green} {blue}");
    assert_eq!(Pdf::from_bytes(&before).dot(62 + 56, 48 + 28), [255; 3]);
    assert!(pdf.text().contains("Ümraniye Belediyesi Akademisi"));
    assert_eq!(qr_codes(&pdf).len(), 1);
    assert_eq!(world.pdf(learner(1), &serial).await.body, page, "the same bytes again");
    let others = world.complete(2, 1, 1).await;
    let holder = Who { tenant: tenant(2), ..learner(1) };
    assert!(Pdf::from_bytes(&world.pdf(holder, &others).await.body).pictures().is_empty());

    world.call(staff(1), Method::DELETE, LOGO, None).await.expect(204);
    assert_eq!(world.get(staff(1), LOGO).await.expect(200), json!({ "image": null, "files": [] }));
    assert_eq!(world.pdf(learner(1), &serial).await.body, before);
    world.call(staff(1), Method::DELETE, LOGO, None).await.expect(204);
    let told = "SELECT string_agg(action, ' ' ORDER BY number) FROM audit_entry";
    assert_eq!(world.text(told).await, "certificate_logo.set certificate_logo.removed");
}

#[tokio::test]
async fn what_is_no_logo_of_the_academy_is_refused() {
    let world = World::new().await;
    let (card, others) =
        (image(&world, 1, 1, "course_card").await, image(&world, 2, 2, "certificate_logo").await);
    for wrong in [card, others, ImageId::new(NOW, [9; 10])] {
        let answer = set(&world, staff(1), wrong).await;
        assert_eq!(answer.problem(), (422, "invalid-request".into()), "{wrong}");
    }
    let instructor = Who { permissions: Role::Instructor.permissions(), ..staff(1) };
    for (who, status) in
        [(instructor, 403), (learner(1), 403), (Who { permissions: Permissions::NONE, ..staff(2) }, 403)]
    {
        assert_eq!(set(&world, who, others).await.status, status);
        assert_eq!(world.get(who, LOGO).await.status, status);
    }
    assert_eq!(world.get(staff(1), LOGO).await.expect(200)["image"], Value::Null);
}

#[tokio::test]
async fn a_certificate_is_printed_although_its_logo_cannot_be_read() {
    let world = World::new().await;
    let serial = world.complete(1, 1, 1).await;
    let logo = image(&world, 1, 1, "certificate_logo").await;
    set(&world, staff(1), logo).await.expect(200);
    let folder = akademi_lambda_store::object_key::ObjectKey::new(tenant(1), ["pictures"]).unwrap();
    world.objects.delete_folder(&folder).await.unwrap();
    let page = world.pdf(learner(1), &serial).await;
    assert_eq!(page.status, 200);
    assert!(Pdf::from_bytes(&page.body).pictures().is_empty());
    assert!(world.log.0.lock().unwrap().iter().any(|line| line.contains("the logo cannot be read")));
}
