//! Read copies of what the other plane sells.

use akademi_domain::{
    ids::{BundleId, CouponId, CourseId, UserId},
    money::Money,
    pricing::{Coupon, CouponCode, Product, Sale},
};
use akademi_edge_store::{TenantSql, TenantStatement};

use super::json;

pub fn save_price(product: &Product) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO price (tenant_id, course_id, amount, currency, vat_basis_points, sale_amount, sale_starts_at, \
         sale_ends_at, categories) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) \
         ON CONFLICT (tenant_id, course_id) DO UPDATE SET amount = excluded.amount, currency = excluded.currency, \
         vat_basis_points = excluded.vat_basis_points, sale_amount = excluded.sale_amount, \
         sale_starts_at = excluded.sale_starts_at, sale_ends_at = excluded.sale_ends_at, \
         categories = excluded.categories",
    );
    SQL.with([
        product.course.into(),
        product.price.amount.into(),
        product.price.currency.code().into(),
        i32::from(product.vat_rate.get()).into(),
        product.sale.map(|sale| sale.price.amount).into(),
        product.sale.map(|sale| sale.starts_at).into(),
        product.sale.map(|sale| sale.ends_at).into(),
        json(&product.categories),
    ])
}

/// Whether a seat of the course is left; `None` for one without limit.
pub fn save_seats(course: CourseId, left: Option<bool>) -> TenantStatement {
    const SQL: TenantSql =
        TenantSql::new("UPDATE price SET seats_left = ?3 WHERE tenant_id = ?1 AND course_id = ?2");
    SQL.with([course.into(), left.map(i32::from).into()])
}

/// Which shop sells a course instead; empty when it is sold here.
pub fn save_sold_elsewhere(course: CourseId, label: &str, url: &str) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO sold_elsewhere (tenant_id, course_id, label, url) VALUES (?1, ?2, nullif(?3, ''), nullif(?4, '')) \
         ON CONFLICT (tenant_id, course_id) DO UPDATE SET label = excluded.label, url = excluded.url",
    );
    SQL.with([course.into(), label.into(), url.into()])
}

/// A bundle as the other plane has it now.
pub struct SavedBundle<'a> {
    pub id: BundleId,
    pub title: &'a str,
    pub courses: &'a [CourseId],
    pub price: Money,
    pub sale: Option<Sale>,
    pub for_sale: bool,
}

pub fn save_bundle(bundle: SavedBundle<'_>) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO bundle (tenant_id, id, title, courses, amount, currency, sale_amount, sale_starts_at, \
         sale_ends_at, for_sale) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) \
         ON CONFLICT (tenant_id, id) DO UPDATE SET title = excluded.title, courses = excluded.courses, \
         amount = excluded.amount, currency = excluded.currency, sale_amount = excluded.sale_amount, \
         sale_starts_at = excluded.sale_starts_at, sale_ends_at = excluded.sale_ends_at, \
         for_sale = excluded.for_sale",
    );
    SQL.with([
        bundle.id.to_string().into(),
        bundle.title.into(),
        json(&bundle.courses),
        bundle.price.amount.into(),
        bundle.price.currency.code().into(),
        bundle.sale.map(|sale| sale.price.amount).into(),
        bundle.sale.map(|sale| sale.starts_at).into(),
        bundle.sale.map(|sale| sale.ends_at).into(),
        bundle.for_sale.into(),
    ])
}

/// Somebody erased in the meantime has used nothing.
pub fn spend_coupon(coupon: CouponId, person: UserId) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO spent_coupon (tenant_id, person_id, coupon_id) SELECT ?1, ?2, ?3 \
         WHERE NOT EXISTS (SELECT 1 FROM tombstone WHERE tenant_id = ?1 AND person_id = ?2) ON CONFLICT DO NOTHING",
    );
    SQL.with([person.into(), coupon.to_string().into()])
}

pub fn give_back_coupon(coupon: CouponId, person: UserId) -> TenantStatement {
    const SQL: TenantSql =
        TenantSql::new("DELETE FROM spent_coupon WHERE tenant_id = ?1 AND person_id = ?2 AND coupon_id = ?3");
    SQL.with([person.into(), coupon.to_string().into()])
}

pub fn save_coupon(id: CouponId, code: &CouponCode, terms: &Coupon, available: bool) -> TenantStatement {
    const SQL: TenantSql = TenantSql::new(
        "INSERT INTO coupon (tenant_id, id, code, terms, available, public) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
         ON CONFLICT (tenant_id, id) DO UPDATE SET code = excluded.code, terms = excluded.terms, \
         available = excluded.available, public = excluded.public",
    );
    let flags = (available.into(), terms.public.into());
    SQL.with([id.to_string().into(), code.as_str().into(), json(terms), flags.0, flags.1])
}
