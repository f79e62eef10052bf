//! What courses cost, and what of them is for sale.

use akademi_domain::{
    course::Slug,
    ids::{CourseId, UserId},
    pricing::Product,
    time::Timestamp,
};
use akademi_lambda_store::{error::StoreError, postgres::TenantTransaction};
use sqlx::{Row, postgres::PgRow};
use uuid::Uuid;

use super::{money, sale, unreadable, vat_rate};
use crate::prices::CoursePrice;

/// Refused (`price_course`) for a course that the academy does not have.
pub async fn set_price(
    tx: &mut TenantTransaction,
    product: &Product,
    now: Timestamp,
) -> Result<(), StoreError> {
    let categories: Vec<&str> = product.categories.iter().map(Slug::as_str).collect();
    sqlx::query(
        "INSERT INTO price (tenant_id, course_id, amount, currency, vat_basis_points, sale_amount, sale_starts_at,
                            sale_ends_at, categories, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT (tenant_id, course_id) DO UPDATE SET amount = excluded.amount, currency = excluded.currency,
         vat_basis_points = excluded.vat_basis_points, sale_amount = excluded.sale_amount,
         sale_starts_at = excluded.sale_starts_at, sale_ends_at = excluded.sale_ends_at,
         categories = excluded.categories, updated_at = excluded.updated_at",
    )
    .bind(tx.tenant().as_uuid())
    .bind(product.course.as_uuid())
    .bind(product.price.amount)
    .bind(product.price.currency.code())
    .bind(i32::from(product.vat_rate.get()))
    .bind(product.sale.map(|sale| sale.price.amount))
    .bind(product.sale.map(|sale| sale.starts_at.as_millis()))
    .bind(product.sale.map(|sale| sale.ends_at.as_millis()))
    .bind(categories)
    .bind(now.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}

pub async fn find_price(
    tx: &mut TenantTransaction,
    course: CourseId,
) -> Result<Option<CoursePrice>, StoreError> {
    let row = sqlx::query("SELECT * FROM price WHERE tenant_id = $1 AND course_id = $2")
        .bind(tx.tenant().as_uuid())
        .bind(course.as_uuid())
        .fetch_optional(tx.connection())
        .await?;
    row.map(|row| {
        let updated_at = Timestamp::from_millis(row.try_get("updated_at")?);
        Ok(CoursePrice::new(product(&row)?, updated_at))
    })
    .transpose()
}

/// Whether the course is there and `owner`'s or anybody's.
pub async fn may_price(
    tx: &mut TenantTransaction,
    course: CourseId,
    owner: Option<UserId>,
) -> Result<bool, StoreError> {
    let found: Option<i32> = sqlx::query_scalar(
        "SELECT 1 FROM course_draft WHERE tenant_id = $1 AND id = $2 AND ($3::uuid IS NULL OR owner_id = $3)",
    )
    .bind(tx.tenant().as_uuid())
    .bind(course.as_uuid())
    .bind(owner.map(|owner| owner.as_uuid()))
    .fetch_optional(tx.connection())
    .await?;
    Ok(found.is_some())
}

/// A course that is for sale.
pub struct Offer {
    pub product: Product,
    pub title: String,
    /// The person has bought the course, or is known to have it otherwise.
    pub is_had: bool,
}

/// The published courses among `courses` that have a price, in their order, as offered to this person. Their prices stay
/// until the transaction ends.
pub async fn lock_offers(
    tx: &mut TenantTransaction,
    user: UserId,
    courses: &[CourseId],
) -> Result<Vec<Offer>, StoreError> {
    let ids: Vec<Uuid> = courses.iter().map(CourseId::as_uuid).collect();
    let rows = sqlx::query(
        "SELECT price.*, title,
                EXISTS (SELECT FROM enrolment
                        WHERE tenant_id = $1 AND user_id = $3 AND enrolment.course_id = wanted.course_id)
                OR EXISTS (SELECT FROM purchase
                           WHERE tenant_id = $1 AND user_id = $3 AND purchase.course_id = wanted.course_id) AS is_had
         FROM UNNEST($2::uuid[]) WITH ORDINALITY AS wanted (course_id, place)
         JOIN price ON price.tenant_id = $1 AND price.course_id = wanted.course_id
         JOIN course_draft ON course_draft.tenant_id = $1 AND course_draft.id = wanted.course_id
              AND published_version > 0
         ORDER BY place FOR SHARE OF price",
    )
    .bind(tx.tenant().as_uuid())
    .bind(&ids)
    .bind(user.as_uuid())
    .fetch_all(tx.connection())
    .await?;
    rows.iter()
        .map(|row| {
            let (title, is_had) = (row.try_get("title")?, row.try_get("is_had")?);
            Ok(Offer { product: product(row)?, title, is_had })
        })
        .collect()
}

fn product(row: &PgRow) -> Result<Product, StoreError> {
    let categories: Vec<String> = row.try_get("categories")?;
    let categories: Result<_, _> = categories.into_iter().map(Slug::try_from).collect();
    Ok(Product {
        course: CourseId::from_uuid(row.try_get("course_id")?),
        price: money(row, "amount")?,
        sale: sale(row)?,
        vat_rate: vat_rate(row)?,
        categories: categories.map_err(|error| unreadable("categories", error))?,
    })
}
