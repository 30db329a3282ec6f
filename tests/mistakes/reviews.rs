//! A module in which nearly everything is wrong.

use atoll_kernel::{
    Ctx, Fault, computed,
    data::{End, FieldKind, FieldLink, Index, Module, Projection, Service},
    entity, events, feature_flag, flow,
    flow::{HookPoint, Local},
    hook,
    http::{Call, Param, ParamKind, Params, Reply, Resource},
    job,
    jobs::{Event, Tick},
    link, list_index, module, projection, provider, provider_kind,
    query::{Computed, OnDelete},
    routes,
    serde_json::Value,
    subscriber,
};

entity! {
    /// What is sold.
    pub struct Product = "product" / "products", "prod" {
        /// What it is called.
        pub title: String,
    }
}

entity! {
    /// What a buyer says of a product.
    pub struct Review = "review" / "reviews", "prod" {
        /// Who says it.
        pub author: String,
        /// From 1 to 5.
        pub rating: u32,
        /// The product, by its id.
        pub product_id: String,
    }
    search [author]
}

static PRODUCTS: Service<Product> = Service::new(&[]);
static REVIEWS: Service<Review> =
    Service::new(&[Index::on("review.by_author", &["auhtor"], |it, keys| keys.add(&[&it.author]))]);

module! { Module {
    name: "review",
    summary: "What buyers say",
    services: &[&PRODUCTS, &REVIEWS],
    ..Module::EMPTY
} }

link! {
    /// A review is of a product.
    pub static REVIEW_PRODUCT: Link("review_product", "revprod") = {
        left: end("review"),
        right: end("prodct"),
    };
}

const fn end(entity: &'static str) -> End {
    End { entity, key: "id", alias: "it", others: None, rows: "rows", many: true, cascade: false }
}

link! {
    /// Hides a field, by a field that is not there.
    pub static REVIEW_AUTHOR: FieldLink = FieldLink {
        from: "review",
        field: "produkt_id",
        relation: "author",
        many: false,
        to: "product",
        back: None,
        on_delete: OnDelete::Keep,
        reveals: false,
    };
}

computed! {
    /// Of an entity that is spelled otherwise.
    pub static STARS = Computed {
        entity: "reviews",
        name: "stars",
        kind: FieldKind::Text,
        text: "As stars.",
        also_shows: &[],
        sorts: false,
        compute: |_, nodes| Ok(nodes.iter().map(|_| None).collect()),
    };
}

computed! {
    /// Hides a field.
    pub static TITLE = Computed {
        entity: "product",
        name: "title",
        kind: FieldKind::Text,
        text: "In capitals.",
        also_shows: &[],
        sorts: false,
        compute: |_, nodes| Ok(nodes.iter().map(|_| None).collect()),
    };
}

projection! {
    /// Follows nothing.
    pub static BY_STARS = Projection {
        name: "by-stars",
        follows: &["revew"],
        spaces: &["by-stars"],
        kept: &[],
        version: 1,
        update: |_, _| Ok(()),
        ..Projection::EMPTY
    };
}

static REVIEW: Resource = Resource {
    entity: "review",
    one: "review",
    many: "reviews",
    fields: &["id", "auther"],
    store_fields: None,
    renamed: &[],
};

const LIST: Params = Params {
    own: &[
        Param::new("author", ParamKind::Any),
        Param::new("ratng", ParamKind::Number),
        Param::new("channel", ParamKind::Any).about("The channel that it was sold in."),
    ],
    limit: Some(50),
    strict: true,
};

feature_flag! {
    /// Reviews of products.
    pub static REVIEWS_FLAG = "reviews", default: true;
}

routes! {
    with "review";
    of REVIEW;
    /// Lists the reviews.
    Get "/admin/reviews" (Admin, LIST) => answer;
}

routes! {
    of REVIEW;
    /// Shows a review.
    Get "/admin/reviews/:id" (Admin, Params::NONE) => answer;
    /// Deletes a review.
    Delete "/admin/reviews/:review" (Admin, Params::NONE) => answer;
    Post "/admin/reviews/:id/:id" (Admin, Params::NONE, &[]) => answer;
    /// Shows storefronts reviews.
    Get "/store/reviews" (Store, LIST) => answer;
}

async fn answer(_: Call) -> Result<Reply, Fault> {
    Ok(Reply::json(&Value::Null))
}

flow! {
    /// Awards points.
    pub static AWARD: Flow<(), ()> = "award-points" (award), hooks: &[&AWARDED];
}

fn award(_: &mut Local<'_>, (): ()) -> Result<(), Fault> {
    Ok(())
}

hook! { "review.thank" in "award-points.pointAwarded" => thank }

fn thank(_: &mut Local<'_>, _: &Value) -> Result<(), Fault> {
    Ok(())
}

events! { "review.created" }

subscriber! { "review.mail" on ["review.craeted", "review.product.created"] => mail }

async fn mail(_: Ctx, _: Event) -> Result<(), Fault> {
    Ok(())
}

job! { "review.count" at "0 0 31 4 *" => count }
job! { "review.count" at "0 0 * * *" => count }

async fn count(_: Ctx, _: Tick) -> Result<(), Fault> {
    Ok(())
}

/// Points were awarded.
static AWARDED: HookPoint<Value> = HookPoint::new("pointsAwarded");

list_index! {
    /// Lists of reviews.
    static REVIEW_LISTS = "review" of REVIEWS {
        filters: ["rating"],
        sorts: ["auther", "author"],
        search: true,
        children: PRODUCTS ("product") by "title",
    }
}

/// Thanks for reviews.
trait Thanks: Send + Sync {}

struct Mail;

impl Thanks for Mail {}

provider_kind! { dyn Thanks as "thanks" }

provider! { dyn Thanks: "by mail" => Mail }
provider! { dyn Thanks: "mail" => Mail }
provider! { dyn Thanks: "mail" => Mail }
