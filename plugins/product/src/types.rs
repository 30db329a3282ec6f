//! The records.

use atoll_kernel::{Decimal, FieldValue, Id, Metadata, entity, words};

words! {
    /// Where a product stands.
    pub enum ProductStatus {
        /// Being written.
        #[default]
        Draft = "draft",
        /// Waiting for somebody's word.
        Proposed = "proposed",
        /// For sale, where a channel has it.
        Published = "published",
        /// Somebody said no.
        Rejected = "rejected",
    }
}

entity! {
    /// Something that is sold, in one or several variants.
    pub struct Product = "product" / "products", "prod" {
        /// What it is called.
        pub title: String,
        /// What is said below the title.
        pub subtitle: Option<String>,
        /// Where it stands. Storefronts see published products only.
        pub status: ProductStatus,
        /// Its id in another system.
        pub external_id: Option<String>,
        /// What it is.
        pub description: Option<String>,
        /// Its name in URLs; no two live products share one.
        pub handle: String,
        /// Is it a voucher?
        pub is_giftcard: bool,
        /// May it be discounted?
        pub discountable: bool = true,
        /// The URL of a small picture.
        pub thumbnail: Option<String>,
        /// The collection that it is in.
        pub collection_id: Option<Id<ProductCollection>>,
        /// What kind of thing it is.
        pub type_id: Option<Id<ProductType>>,
        /// In grams.
        pub weight: Option<Decimal>,
        /// In millimetres.
        pub length: Option<Decimal>,
        /// In millimetres.
        pub height: Option<Decimal>,
        /// In millimetres.
        pub width: Option<Decimal>,
        /// The harmonised system code.
        pub hs_code: Option<String>,
        /// ISO 3166-1 alpha-2.
        pub origin_country: Option<String>,
        /// The manufacturer's code.
        pub mid_code: Option<String>,
        /// What it is made of.
        pub material: Option<String>,
        /// Free data.
        pub metadata: Metadata,
        /// Its pictures, in order.
        pub images: Vec<ProductImage>,
        /// Its options, in order.
        pub option_ids: Vec<Id<ProductOption>>,
        /// Its tags.
        pub tag_ids: Vec<Id<ProductTag>>,
        /// The categories that it is in.
        pub category_ids: Vec<Id<ProductCategory>>,
        /// How it is sent, by its id: kept for a module that sends things.
        pub shipping_profile_id: Option<String>,
    }
    search [title, subtitle, description, handle]
    hidden [option_ids, tag_ids, category_ids, shipping_profile_id]
    embeds [many images: ProductImage]
    patch ProductPatch
}

entity! {
    /// A picture of a product.
    pub struct ProductImage = "image" / "images", "img" {
        /// Where it is.
        pub url: String,
        /// Its place among the pictures, from 0.
        pub rank: u32,
        /// The product.
        pub product_id: Id<Product>,
        /// Free data.
        pub metadata: Metadata,
        /// The variants that it is of, where it is not of all of them.
        pub variant_ids: Vec<Id<ProductVariant>>,
    }
    hidden [variant_ids]
}

impl FieldValue for ProductImage {}

entity! {
    /// What is put into a cart: one choice of a product's options.
    pub struct ProductVariant = "product_variant" / "product_variants", "variant" {
        /// What it is called.
        pub title: String,
        /// The stock keeping unit; no two live variants share one.
        pub sku: Option<String>,
        /// Unique, as the SKU is.
        pub barcode: Option<String>,
        /// Unique, as the SKU is.
        pub ean: Option<String>,
        /// Unique, as the SKU is.
        pub upc: Option<String>,
        /// May more be sold than there is?
        pub allow_backorder: bool,
        /// Is it counted at all? What is not counted can always be sold.
        pub manage_inventory: bool = true,
        /// The harmonised system code.
        pub hs_code: Option<String>,
        /// ISO 3166-1 alpha-2.
        pub origin_country: Option<String>,
        /// The manufacturer's code.
        pub mid_code: Option<String>,
        /// What it is made of.
        pub material: Option<String>,
        /// In grams.
        pub weight: Option<Decimal>,
        /// In millimetres.
        pub length: Option<Decimal>,
        /// In millimetres.
        pub height: Option<Decimal>,
        /// In millimetres.
        pub width: Option<Decimal>,
        /// Free data.
        pub metadata: Metadata,
        /// Its place among the variants, from 0.
        pub variant_rank: u32,
        /// The URL of a small picture.
        pub thumbnail: Option<String>,
        /// The product.
        pub product_id: Id<Product>,
        /// What it chose of each option.
        pub option_value_ids: Vec<Id<ProductOptionValue>>,
    }
    search [title, sku, barcode, ean, upc]
    hidden [option_value_ids]
    patch ProductVariantPatch
}

entity! {
    /// What a product leaves open: its size, its colour.
    pub struct ProductOption = "product_option" / "product_options", "opt" {
        /// What it is called.
        pub title: String,
        /// Does it belong to one product alone?
        pub is_exclusive: bool = true,
        /// Free data.
        pub metadata: Metadata,
    }
    search [title]
    patch ProductOptionPatch
}

entity! {
    /// One answer to an option.
    pub struct ProductOptionValue = "product_option_value" / "product_option_values", "optval" {
        /// The answer.
        pub value: String,
        /// Its place, if it has one.
        pub rank: Option<u32>,
        /// Free data.
        pub metadata: Metadata,
        /// The option.
        pub option_id: Id<ProductOption>,
    }
    search [value]
    patch ProductOptionValuePatch
}

entity! {
    /// What kind of thing a product is.
    pub struct ProductType = "product_type" / "product_types", "ptyp" {
        /// The kind.
        pub value: String,
        /// Its id in another system.
        pub external_id: Option<String>,
        /// Free data.
        pub metadata: Metadata,
    }
    search [value]
    patch ProductTypePatch
}

entity! {
    /// A word that products are found by.
    pub struct ProductTag = "product_tag" / "product_tags", "ptag" {
        /// The word.
        pub value: String,
        /// Its id in another system.
        pub external_id: Option<String>,
        /// Free data.
        pub metadata: Metadata,
    }
    search [value]
    patch ProductTagPatch
}

entity! {
    /// Products that are shown together.
    pub struct ProductCollection = "product_collection" / "product_collections", "pcol" {
        /// What it is called.
        pub title: String,
        /// Its name in URLs.
        pub handle: String,
        /// Its id in another system.
        pub external_id: Option<String>,
        /// Free data.
        pub metadata: Metadata,
    }
    search [title]
    patch ProductCollectionPatch
}

entity! {
    /// A place in the tree of what is sold.
    pub struct ProductCategory = "product_category" / "product_categories", "pcat" {
        /// What it is called.
        pub name: String,
        /// What is in it.
        pub description: String,
        /// Its name in URLs.
        pub handle: String,
        /// The ids from the root to here, joined by dots.
        pub mpath: String,
        /// Is it shown?
        pub is_active: bool,
        /// Is it for admins only?
        pub is_internal: bool,
        /// Its place among its siblings, from 0 and without gaps; behind them all, where none is given.
        pub rank: u32 = u32::MAX,
        /// Its id in another system.
        pub external_id: Option<String>,
        /// The category that it is in.
        pub parent_category_id: Option<Id<ProductCategory>>,
        /// Free data.
        pub metadata: Metadata,
    }
    search [name, description, handle]
    patch ProductCategoryPatch
}
