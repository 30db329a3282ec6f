//! Reviews: what buyers say of products.

mod routes;
mod service;
mod types;
mod upkeep;

use atoll_kernel::{
    data::{End, Index, Module, Service},
    link, module,
};

pub use service::{NewReview, create_review};
pub use types::{Review, ReviewPatch};

const BY_AUTHOR: Index<Review> =
    Index::on("review.by_author", &["author"], |it, keys| keys.add(&[&it.author]));

/// The service of reviews. [`create_review`] makes them.
pub static REVIEWS: Service<Review> = Service::new(&[BY_AUTHOR]);

module! { Module {
    name: "review",
    summary: "What buyers say of products",
    services: &[&REVIEWS],
    ..Module::EMPTY
} }

link! {
    /// A review is of a product, and goes with it.
    pub static REVIEW_PRODUCT: Link("review_product", "revprod") = {
        left: End {
            entity: "review",
            key: "review_id",
            alias: "review",
            others: Some("product"),
            rows: "product_link",
            many: false,
            cascade: true,
        },
        right: End {
            entity: "product",
            key: "product_id",
            alias: "product",
            others: Some("reviews"),
            rows: "reviews_link",
            many: true,
            cascade: false,
        },
    };
}
