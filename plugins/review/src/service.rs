//! What may be done with a review.

use atoll_kernel::{
    Fault, Moment, Write, events,
    jobs::emit,
    serde::Deserialize,
    serde_json::{Map, json},
};

use crate::{REVIEW_PRODUCT, REVIEWS, Review};

events! { "review.created" }

/// A new review.
#[derive(Clone, Debug, Deserialize)]
#[serde(crate = "::atoll_kernel::serde")]
pub struct NewReview {
    /// The product, by its id.
    pub product_id: String,
    /// Who says it.
    pub author: String,
    /// From 1 to 5.
    pub rating: u32,
    /// What they say.
    pub text: Option<String>,
}

/// Makes a review of a product that exists. Event: `review.created`.
pub fn create_review(tx: &mut dyn Write, at: &Moment, input: NewReview) -> Result<Review, Fault> {
    let NewReview { product_id, author, rating, text } = input;
    if !(1..=5).contains(&rating) {
        return Err(Fault::invalid(format!("a rating of {rating} is not between 1 and 5")));
    }
    let review = REVIEWS.create(tx, at, Review { author, rating, text, ..Review::default() })?;
    REVIEW_PRODUCT.attach(tx, at, &review.id, &product_id, Map::new())?;
    emit(tx, at, "review.created", json!({ "id": review.id }))?;
    Ok(review)
}
