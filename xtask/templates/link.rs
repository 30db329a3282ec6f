//! The link between __from_titles__ and products.

use atoll_kernel::{data::End, link};

link! {
    /// __From_titles__ of products, both ways.
    pub static __NAME__: Link("__snake__", "__prefix__") = {
        left: End {
            entity: "__from__",
            key: "__from___id",
            alias: "__from__",
            others: Some("products"),
            rows: "products_link",
            many: true,
            cascade: false,
        },
        right: End {
            entity: "product",
            key: "product_id",
            alias: "product",
            others: Some("__froms__"),
            rows: "__froms___link",
            many: true,
            cascade: false,
        },
    };
}
