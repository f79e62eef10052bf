//! Bundles of courses.

use akademi_domain::{
    course::Title,
    ids::{BundleId, CourseId, UserId},
    money::{Currency, Money},
    pricing::Sale,
    time::Timestamp,
};
use akademi_lambda_store::{error::StoreError, postgres::TenantTransaction};
use sqlx::{Row, postgres::PgRow};
use uuid::Uuid;

use super::{money, sale, unreadable};

/// A bundle as it is stored.
#[derive(Debug, Clone)]
pub struct Bundle {
    pub id: BundleId,
    pub title: Title,
    pub courses: Vec<CourseId>,
    pub price: Money,
    pub sale: Option<Sale>,
    pub for_sale: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Makes a bundle, or changes the one of this id. Refused (`bundle_title`) for a title that another bundle has.
pub async fn save_bundle(tx: &mut TenantTransaction, bundle: &Bundle) -> Result<(), StoreError> {
    let courses: Vec<Uuid> = bundle.courses.iter().map(CourseId::as_uuid).collect();
    sqlx::query(
        "INSERT INTO bundle (tenant_id, id, title, courses, amount, currency, sale_amount, sale_starts_at, sale_ends_at,
                             for_sale, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         ON CONFLICT (tenant_id, id) DO UPDATE SET title = excluded.title, courses = excluded.courses,
         amount = excluded.amount, currency = excluded.currency, sale_amount = excluded.sale_amount,
         sale_starts_at = excluded.sale_starts_at, sale_ends_at = excluded.sale_ends_at,
         for_sale = excluded.for_sale, updated_at = excluded.updated_at",
    )
    .bind(tx.tenant().as_uuid())
    .bind(bundle.id.as_uuid())
    .bind(bundle.title.as_str())
    .bind(courses)
    .bind(bundle.price.amount)
    .bind(bundle.price.currency.code())
    .bind(bundle.sale.map(|sale| sale.price.amount))
    .bind(bundle.sale.map(|sale| sale.starts_at.as_millis()))
    .bind(bundle.sale.map(|sale| sale.ends_at.as_millis()))
    .bind(bundle.for_sale)
    .bind(bundle.created_at.as_millis())
    .bind(bundle.updated_at.as_millis())
    .execute(tx.connection())
    .await?;
    Ok(())
}

/// Whether `$courses` are all of `$owner` in the academy `$1`, or anybody may have them.
macro_rules! courses_of {
    ($courses:literal, $owner:literal) => {
        concat!(
            "(",
            $owner,
            "::uuid IS NULL OR NOT EXISTS (SELECT FROM UNNEST(",
            $courses,
            ") AS named (id) WHERE NOT EXISTS (SELECT FROM course_draft WHERE course_draft.tenant_id = $1 \
             AND course_draft.id = named.id AND owner_id = ",
            $owner,
            ")))"
        )
    };
}

/// Whether each of the courses is `owner`'s or anybody's and has a price in this currency.
pub async fn can_be_bundled(
    tx: &mut TenantTransaction,
    courses: &[CourseId],
    currency: Currency,
    owner: Option<UserId>,
) -> Result<bool, StoreError> {
    let ids: Vec<Uuid> = courses.iter().map(CourseId::as_uuid).collect();
    let found = sqlx::query_scalar(concat!(
        "SELECT NOT EXISTS (SELECT FROM UNNEST($2::uuid[]) AS wanted (id) WHERE NOT EXISTS (SELECT FROM price
             WHERE price.tenant_id = $1 AND price.course_id = wanted.id AND currency = $3)) AND ",
        courses_of!("$2::uuid[]", "$4"),
    ))
    .bind(tx.tenant().as_uuid())
    .bind(&ids)
    .bind(currency.code())
    .bind(owner.map(|owner| owner.as_uuid()))
    .fetch_one(tx.connection())
    .await?;
    Ok(found)
}

/// A bundle of anybody's courses or of `owner`'s only, locked: whoever changes it or buys it waits.
pub async fn lock_bundle(
    tx: &mut TenantTransaction,
    id: BundleId,
    owner: Option<UserId>,
) -> Result<Option<Bundle>, StoreError> {
    let row = sqlx::query(concat!(
        "SELECT * FROM bundle WHERE tenant_id = $1 AND id = $2 AND ",
        courses_of!("courses", "$3"),
        " FOR UPDATE"
    ))
    .bind(tx.tenant().as_uuid())
    .bind(id.as_uuid())
    .bind(owner.map(|owner| owner.as_uuid()))
    .fetch_optional(tx.connection())
    .await?;
    row.as_ref().map(bundle).transpose()
}

/// Those of the bundles that are for sale, in no order. They stay as they are until the transaction ends.
pub async fn lock_bundles_for_sale(
    tx: &mut TenantTransaction,
    ids: &[BundleId],
) -> Result<Vec<Bundle>, StoreError> {
    let ids: Vec<Uuid> = ids.iter().map(BundleId::as_uuid).collect();
    let rows = sqlx::query(
        "SELECT * FROM bundle WHERE tenant_id = $1 AND id = ANY ($2) AND for_sale ORDER BY id FOR SHARE",
    )
    .bind(tx.tenant().as_uuid())
    .bind(&ids)
    .fetch_all(tx.connection())
    .await?;
    rows.iter().map(bundle).collect()
}

/// Bundles after this one, newest first: all, or those of courses of `owner` and no others.
pub async fn list_bundles(
    tx: &mut TenantTransaction,
    owner: Option<UserId>,
    after: Option<(Timestamp, BundleId)>,
    limit: i64,
) -> Result<Vec<Bundle>, StoreError> {
    let (created_at, id) =
        after.unwrap_or((Timestamp::from_millis(i64::MAX), BundleId::from_uuid(Uuid::max())));
    let rows = sqlx::query(concat!(
        "SELECT * FROM bundle WHERE tenant_id = $1 AND (created_at, id) < ($2, $3) AND ",
        courses_of!("courses", "$5"),
        " ORDER BY created_at DESC, id DESC LIMIT $4",
    ))
    .bind(tx.tenant().as_uuid())
    .bind(created_at.as_millis())
    .bind(id.as_uuid())
    .bind(limit)
    .bind(owner.map(|owner| owner.as_uuid()))
    .fetch_all(tx.connection())
    .await?;
    rows.iter().map(bundle).collect()
}

fn bundle(row: &PgRow) -> Result<Bundle, StoreError> {
    let title: String = row.try_get("title")?;
    let courses: Vec<Uuid> = row.try_get("courses")?;
    Ok(Bundle {
        id: BundleId::from_uuid(row.try_get("id")?),
        title: Title::try_from(title).map_err(|error| unreadable("title", error))?,
        courses: courses.into_iter().map(CourseId::from_uuid).collect(),
        price: money(row, "amount")?,
        sale: sale(row)?,
        for_sale: row.try_get("for_sale")?,
        created_at: Timestamp::from_millis(row.try_get("created_at")?),
        updated_at: Timestamp::from_millis(row.try_get("updated_at")?),
    })
}
