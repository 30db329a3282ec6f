//! A module of a third party: a record with an index, a link, a projection and a check of its own. All but
//! the check are verified without any code of the module.

use atoll_kernel::{
    StoreError, Write, check,
    data::{Change, End, Groups, Index, Module, Projection, Scalar, Service},
    entity, link, module, projection,
    verify::Verify,
};

entity! {
    /// What somebody says of a product.
    pub struct Review = "review" / "reviews", "rev" {
        /// From one to five.
        pub stars: String,
        /// What is said.
        pub text: String,
    }
}

const BY_STARS: Index<Review> = Index::on("review.by_stars", &["stars"], |it, keys| keys.add(&[&it.stars]));

pub(crate) static REVIEWS: Service<Review> = Service::new(&[BY_STARS]);

module! { Module { name: "review", summary: "What is said of products", services: &[&REVIEWS], ..Module::EMPTY } }

link! {
    /// A review is of a product.
    pub static PRODUCT_REVIEW: Link("product_review", "prorev") = {
        left: End {
            entity: "product", key: "product_id", alias: "product", others: Some("reviews"), rows: "review_links",
            many: true, cascade: false,
        },
        right: End {
            entity: "review", key: "review_id", alias: "review", others: Some("product"), rows: "product_link",
            many: false, cascade: true,
        },
    };
}

pub(crate) const SHELF: &str = "review.shelf";

projection! {
    /// The reviews by product and stars.
    pub static REVIEW_SHELF = Projection {
        name: SHELF,
        follows: &["product_review"],
        spaces: &[SHELF],
        update: shelve,
        ..Projection::EMPTY
    };
}

fn shelve(tx: &mut dyn Write, change: &Change<'_>) -> Result<(), StoreError> {
    let Some(record) = change.after.or(change.before) else { return Ok(()) };
    let text = |field| if let Scalar::Text(text) = record.scalar(field) { text } else { "" };
    let (product, review) = (text("product_id"), text("review_id"));
    Groups::new(SHELF).set(tx, product, review, change.after.is_some())
}

// Stars are a number from one to five.
check! { "review.stars": "A review has from one to five stars" => stars }

fn stars(it: &mut Verify<'_>) -> Result<(), StoreError> {
    it.rows(&REVIEWS.table, |it, review| {
        if !["1", "2", "3", "4", "5"].contains(&review.stars.as_str()) {
            it.wrong("review.stars", "review", &review.id, review.stars.clone(), "one to five");
        }
        Ok(())
    })
}
