//! `/admin/reviews`

use std::sync::Arc;

use atoll_kernel::{
    Fault, Moment, Write,
    http::{Body, Call, Deleted, Param, ParamKind, Params, Reply, Resource, Type, optional, required},
    routes,
};

use crate::{NewReview, REVIEWS, create_review};

routes! {
    of REVIEW;
    /// Lists the reviews.
    Get "/admin/reviews" (Admin, LIST) => index;
    /// Creates a review.
    Post "/admin/reviews" (Admin, Params::NONE, CREATE) => create;
    /// Deletes a review.
    Delete "/admin/reviews/:id" (Admin, Params::NONE) => delete;
}

static REVIEW: Resource = Resource {
    entity: "review",
    one: "review",
    many: "reviews",
    fields: &["id", "author", "rating", "text", "created_at", "product.id", "product.title"],
    store_fields: None,
    renamed: &[],
};

const LIST: Params = Params {
    own: &[
        Param::new("id", ParamKind::Any),
        Param::new("author", ParamKind::Any),
        Param::new("rating", ParamKind::Number),
        Param::new("product", ParamKind::Nested(&[Param::new("id", ParamKind::Any)])),
    ],
    limit: Some(20),
    strict: true,
};
const CREATE: Body = &[&[
    required("product_id", Type::Text),
    required("author", Type::Text),
    required("rating", Type::Positive),
    optional("text", Type::Text).or_null(),
]];

async fn index(call: Call) -> Result<Reply, Fault> {
    REVIEW.plan(&call).page(&call.view, Vec::new())
}

async fn create(mut call: Call) -> Result<Reply, Fault> {
    let input: NewReview = call.read()?;
    let plan = REVIEW.plan(&call);
    plan.check(&call.view)?;
    let body = move |tx: &mut dyn Write, at: &Moment| create_review(tx, at, input.clone());
    let (review, view) = call.app.write(call.pass.actor, body).await?;
    plan.show(&view, Arc::new(review))
}

async fn delete(call: Call) -> Result<Reply, Fault> {
    let id = call.path("id").to_owned();
    let gone = Deleted::new(id.as_str(), "review");
    let body = move |tx: &mut dyn Write, at: &Moment| Ok(REVIEWS.soft_delete(tx, at, &id)?);
    call.app.write(call.pass.actor, body).await?;
    gone.reply()
}
