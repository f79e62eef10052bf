//! The function's SQL: one function a statement.

mod addresses;

pub use addresses::*;

use akademi_coupons::basket::{Item, MAX_BUNDLES};
use akademi_domain::{
    ids::{BundleId, CourseId, UserId},
    pricing::{CouponCode, MAX_COUPONS, MAX_LINES},
    time::Timestamp,
};
use akademi_edge_store::{StoreError, TenantDatabase, TenantSql, TenantStatement, Value};

use crate::holder::CartId;

/// What is in a cart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    Item(Item),
    Coupon(CouponCode),
}

impl Stored {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Item(Item::Course(_)) => "course",
            Self::Item(Item::Bundle(_)) => "bundle",
            Self::Coupon(_) => "coupon",
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Item(Item::Course(id)) => id.to_string(),
            Self::Item(Item::Bundle(id)) => id.to_string(),
            Self::Coupon(code) => code.to_string(),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredItem {
    pub what: Stored,
    pub added_at: Timestamp,
}

impl StoredItem {
    pub fn item(&self) -> Option<Item> {
        match &self.what {
            Stored::Item(item) => Some(*item),
            Stored::Coupon(_) => None,
        }
    }

    pub fn code(&self) -> Option<&CouponCode> {
        match &self.what {
            Stored::Item(_) => None,
            Stored::Coupon(code) => Some(code),
        }
    }
}

/// The most of a kind, as the statements take it.
fn most(count: usize) -> Value {
    i64::try_from(count).unwrap_or(0).into()
}

/// All that is in a cart, in the order in which it was put there.
pub async fn list_items(database: &TenantDatabase<'_>, cart: &CartId) -> Result<Vec<StoredItem>, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT kind, item, added_at FROM cart_item WHERE tenant_id = ?1 AND cart_id = ?2 \
         ORDER BY added_at, kind, item",
    );
    let rows = database.rows(SQL.with([cart.as_str().into()])).await?;
    rows.iter()
        .map(|row| {
            let what = match row.text(0)? {
                "course" => Stored::Item(Item::Course(row.parse(1)?)),
                "bundle" => Stored::Item(Item::Bundle(row.parse(1)?)),
                _ => Stored::Coupon(row.parse(1)?),
            };
            Ok(StoredItem { what, added_at: row.timestamp(2)? })
        })
        .collect()
}

pub async fn cart_exists(database: &TenantDatabase<'_>, cart: &CartId) -> Result<bool, StoreError> {
    const SQL: TenantSql = TenantSql::new("SELECT 1 AS found FROM cart WHERE tenant_id = ?1 AND id = ?2");
    Ok(database.row(SQL.with([cart.as_str().into()])).await?.is_some())
}

/// A batch's condition: the course is for sale, and beside it the cart has fewer items than it may.
pub fn course_may_be_put(cart: &CartId, course: CourseId) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO guard (ok) VALUES ((SELECT 1 WHERE (SELECT count(*) FROM cart_item \
         WHERE cart_item.tenant_id = ?1 AND cart_id = ?2 AND kind <> 'coupon' \
         AND NOT (kind = 'course' AND item = ?3)) < ?4 \
         AND EXISTS (SELECT 1 FROM course JOIN price ON price.tenant_id = ?1 AND price.course_id = course.id \
         WHERE course.tenant_id = ?1 AND course.id = ?3 AND withdrawn_at IS NULL) \
         AND NOT EXISTS (SELECT 1 FROM sold_elsewhere \
         WHERE sold_elsewhere.tenant_id = ?1 AND sold_elsewhere.course_id = ?3 AND url IS NOT NULL)))",
    );
    SQL.with([cart.as_str().into(), course.into(), most(MAX_LINES)])
}

/// Whether the catalog has the course and another shop sells it.
pub async fn is_sold_elsewhere(database: &TenantDatabase<'_>, course: CourseId) -> Result<bool, StoreError> {
    const SQL: TenantSql = TenantSql::new(
        "SELECT 1 AS found FROM course JOIN sold_elsewhere ON sold_elsewhere.tenant_id = ?1 \
         AND sold_elsewhere.course_id = course.id AND url IS NOT NULL \
         WHERE course.tenant_id = ?1 AND course.id = ?2 AND withdrawn_at IS NULL",
    );
    Ok(database.row(SQL.with([course.into()])).await?.is_some())
}

/// The same of a bundle, and the cart has fewer bundles than it may.
pub fn bundle_may_be_put(cart: &CartId, bundle: BundleId) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO guard (ok) VALUES ((SELECT 1 WHERE \
         (SELECT count(*) < ?4 AND count(*) FILTER (WHERE kind = 'bundle') < ?5 FROM cart_item \
         WHERE cart_item.tenant_id = ?1 AND cart_id = ?2 AND kind <> 'coupon' \
         AND NOT (kind = 'bundle' AND item = ?3)) \
         AND EXISTS (SELECT 1 FROM bundle WHERE bundle.tenant_id = ?1 AND bundle.id = ?3 AND for_sale = 1)))",
    );
    SQL.with([cart.as_str().into(), bundle.to_string().into(), most(MAX_LINES), most(MAX_BUNDLES)])
}

/// A batch's condition: beside this coupon the cart has fewer than it may.
pub fn coupon_may_be_put(cart: &CartId, code: &CouponCode) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO guard (ok) VALUES ((SELECT 1 WHERE (SELECT count(*) FROM cart_item \
         WHERE tenant_id = ?1 AND cart_id = ?2 AND kind = 'coupon' AND item <> ?3) < ?4))",
    );
    SQL.with([cart.as_str().into(), code.as_str().into(), most(MAX_COUPONS)])
}

/// The statements that put something into a cart, which may be new.
pub fn put(cart: &CartId, person: Option<UserId>, what: &Stored, now: Timestamp) -> [TenantStatement; 2] {
    const OPEN: TenantSql = TenantSql::new(
        "INSERT INTO cart (tenant_id, id, person_id, changed_at) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (tenant_id, id) DO UPDATE SET changed_at = excluded.changed_at",
    );
    const PUT: TenantSql = TenantSql::new(
        "INSERT INTO cart_item (tenant_id, cart_id, kind, item, added_at) VALUES (?1, ?2, ?3, ?4, ?5) \
         ON CONFLICT (tenant_id, cart_id, kind, item) DO NOTHING",
    );
    [
        OPEN.with([cart.as_str().into(), person.into(), now.into()]),
        PUT.with([cart.as_str().into(), what.kind().into(), what.text().into(), now.into()]),
    ]
}

/// The statements that take something out of a cart; the first gives a row if it was there.
pub fn remove(cart: &CartId, what: &Stored, now: Timestamp) -> [TenantStatement; 2] {
    const REMOVE: TenantSql = TenantSql::new(
        "DELETE FROM cart_item WHERE tenant_id = ?1 AND cart_id = ?2 AND kind = ?3 AND item = ?4 RETURNING kind",
    );
    const CHANGED: TenantSql =
        TenantSql::new("UPDATE cart SET changed_at = ?3 WHERE tenant_id = ?1 AND id = ?2");
    [
        REMOVE.with([cart.as_str().into(), what.kind().into(), what.text().into()]),
        CHANGED.with([cart.as_str().into(), now.into()]),
    ]
}

/// The statements that take out what was bought, and, once nothing else is left, the coupons too.
pub fn remove_bought(cart: &CartId, bought: impl Iterator<Item = Item>) -> [TenantStatement; 2] {
    const REMOVE: TenantSql = TenantSql::new(
        "DELETE FROM cart_item WHERE tenant_id = ?1 AND cart_id = ?2 AND kind <> 'coupon' \
         AND kind || item IN (SELECT value FROM json_each(?3))",
    );
    const CLOSE: TenantSql = TenantSql::new(
        "DELETE FROM cart WHERE tenant_id = ?1 AND id = ?2 AND NOT EXISTS (SELECT 1 FROM cart_item \
         WHERE cart_item.tenant_id = ?1 AND cart_id = ?2 AND kind <> 'coupon')",
    );
    let bought = bought.map(Stored::Item).map(|what| what.kind().to_owned() + &what.text());
    let bought: Vec<String> = bought.collect();
    let bought = serde_json::to_string(&bought).unwrap_or_default();
    [REMOVE.with([cart.as_str().into(), bought.into()]), CLOSE.with([cart.as_str().into()])]
}

/// With all that is in it.
pub fn delete_cart(cart: &CartId) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new("DELETE FROM cart WHERE tenant_id = ?1 AND id = ?2");
    SQL.with([cart.as_str().into()])
}

/// The statements that put what a guest has in their cart into a person's own, as far as that may have more, and end the
/// guest's. In one batch, nothing that is put there meanwhile is lost; a second time they change nothing.
pub fn merge(guest: &CartId, own: &CartId, now: Timestamp) -> [TenantStatement; 3] {
    const OPEN: TenantSql = TenantSql::new(
        "INSERT INTO cart (tenant_id, id, person_id, changed_at) \
         SELECT ?1, ?2, ?2, ?4 FROM cart AS theirs WHERE theirs.tenant_id = ?1 AND theirs.id = ?3 \
         ON CONFLICT (tenant_id, id) DO UPDATE SET changed_at = excluded.changed_at",
    );
    const COPY: TenantSql = TenantSql::new(
        "INSERT INTO cart_item (tenant_id, cart_id, kind, item, added_at) \
         SELECT ?1, ?2, kind, item, added_at FROM (SELECT kind, item, added_at, \
         row_number() OVER (PARTITION BY kind = 'coupon' ORDER BY added_at, kind, item) AS place \
         FROM (SELECT kind, item, added_at, row_number() OVER (PARTITION BY kind ORDER BY added_at, item) AS nth \
         FROM cart_item AS theirs WHERE theirs.tenant_id = ?1 AND theirs.cart_id = ?3 \
         AND NOT EXISTS (SELECT 1 FROM cart_item AS own WHERE own.tenant_id = ?1 AND own.cart_id = ?2 \
         AND own.kind = theirs.kind AND own.item = theirs.item)) AS added \
         WHERE added.kind <> 'bundle' OR nth <= ?6 - (SELECT count(*) FROM cart_item AS own \
         WHERE own.tenant_id = ?1 AND own.cart_id = ?2 AND own.kind = 'bundle')) AS others \
         WHERE place <= CASE others.kind WHEN 'coupon' THEN ?5 ELSE ?4 END - (SELECT count(*) FROM cart_item AS own \
         WHERE own.tenant_id = ?1 AND own.cart_id = ?2 AND (own.kind = 'coupon') = (others.kind = 'coupon')) \
         ON CONFLICT (tenant_id, cart_id, kind, item) DO NOTHING",
    );
    let (guest_id, own_id) = (|| guest.as_str().into(), || own.as_str().into());
    [
        OPEN.with([own_id(), guest_id(), now.into()]),
        COPY.with([own_id(), guest_id(), most(MAX_LINES), most(MAX_COUPONS), most(MAX_BUNDLES)]),
        delete_cart(guest),
    ]
}
