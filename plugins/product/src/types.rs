//! The records of products: product, image, variant, option, value, type, tag, collection, category.

use atoll_kernel::{Decimal, Id, Metadata, entity, words};

words! {
    /// State of a product.
    pub enum ProductStatus {
        /// Not finished.
        #[default]
        Draft = "draft",
        /// Waiting for approval.
        Proposed = "proposed",
        /// For sale in the channels that it is linked to.
        Published = "published",
        /// Not approved.
        Rejected = "rejected",
    }
}

entity! {
    /// Something that is sold, in one or several variants.
    pub struct Product = "product" / "products", "prod" {
        /// Display name.
        pub title: String,
        /// Second title.
        pub subtitle: Option<String>,
        /// State. Storefronts see published products only.
        pub status: ProductStatus,
        /// Id in an external system.
        pub external_id: Option<String>,
        /// Description.
        pub description: Option<String>,
        /// Name in URLs; unique among live products.
        pub handle: String,
        /// Is it a gift card?
        pub is_giftcard: bool,
        /// May it be discounted?
        pub discountable: bool = true,
        /// URL of a thumbnail image.
        pub thumbnail: Option<String>,
        /// The collection that it is in.
        pub collection_id: Option<Id<ProductCollection>>,
        /// Product type.
        pub type_id: Option<Id<ProductType>>,
        /// In grams.
        pub weight: Option<Decimal>,
        /// In millimetres.
        pub length: Option<Decimal>,
        /// In millimetres.
        pub height: Option<Decimal>,
        /// In millimetres.
        pub width: Option<Decimal>,
        /// Harmonised System code, for customs.
        pub hs_code: Option<String>,
        /// ISO 3166-1 alpha-2.
        pub origin_country: Option<String>,
        /// Manufacturer's code.
        pub mid_code: Option<String>,
        /// Material.
        pub material: Option<String>,
        /// A JSON object of the client's, stored as it is.
        pub metadata: Metadata,
        /// Images, by rank.
        pub images: Vec<ProductImage>,
        /// Its options, in order.
        pub option_ids: Vec<Id<ProductOption>>,
        /// Its tags.
        pub tag_ids: Vec<Id<ProductTag>>,
        /// The categories that it is in.
        pub category_ids: Vec<Id<ProductCategory>>,
        /// Id of the shipping profile, of which the product is shipped with other goods.
        pub shipping_profile_id: Option<String>,
    }
    search [title, subtitle, description, handle]
    hidden [option_ids, tag_ids, category_ids, shipping_profile_id]
    embeds [many images: ProductImage]
    patch ProductPatch
}

entity! {
    /// An image of a product.
    pub struct ProductImage = "image" / "images", "img" {
        /// URL of the image.
        pub url: String,
        /// Position among the images, from 0.
        pub rank: u32,
        /// The product.
        pub product_id: Id<Product>,
        /// A JSON object of the client's, stored as it is.
        pub metadata: Metadata,
        /// Variants that it is assigned to; empty means all.
        pub variant_ids: Vec<Id<ProductVariant>>,
    }
    hidden [variant_ids]
}

entity! {
    /// What can be bought: one combination of a product's option values.
    pub struct ProductVariant = "product_variant" / "product_variants", "variant" {
        /// Display name.
        pub title: String,
        /// Stock keeping unit; unique among live variants.
        pub sku: Option<String>,
        /// Unique, as the SKU is.
        pub barcode: Option<String>,
        /// Unique, as the SKU is.
        pub ean: Option<String>,
        /// Unique, as the SKU is.
        pub upc: Option<String>,
        /// May it be sold without stock?
        pub allow_backorder: bool,
        /// Is its stock managed? If not, it can always be sold.
        pub manage_inventory: bool = true,
        /// Harmonised System code, for customs.
        pub hs_code: Option<String>,
        /// ISO 3166-1 alpha-2.
        pub origin_country: Option<String>,
        /// Manufacturer's code.
        pub mid_code: Option<String>,
        /// Material.
        pub material: Option<String>,
        /// In grams.
        pub weight: Option<Decimal>,
        /// In millimetres.
        pub length: Option<Decimal>,
        /// In millimetres.
        pub height: Option<Decimal>,
        /// In millimetres.
        pub width: Option<Decimal>,
        /// A JSON object of the client's, stored as it is.
        pub metadata: Metadata,
        /// Position among the variants, from 0.
        pub variant_rank: u32,
        /// URL of a thumbnail image.
        pub thumbnail: Option<String>,
        /// The product.
        pub product_id: Id<Product>,
        /// One value per option of the product.
        pub option_value_ids: Vec<Id<ProductOptionValue>>,
    }
    search [title, sku, barcode, ean, upc]
    hidden [option_value_ids]
    patch ProductVariantPatch
}

entity! {
    /// An option of products: size, colour.
    pub struct ProductOption = "product_option" / "product_options", "opt" {
        /// Display name.
        pub title: String,
        /// Does it belong to one product only?
        pub is_exclusive: bool = true,
        /// A JSON object of the client's, stored as it is.
        pub metadata: Metadata,
    }
    search [title]
    patch ProductOptionPatch
}

entity! {
    /// A value of an option.
    pub struct ProductOptionValue = "product_option_value" / "product_option_values", "optval" {
        /// Text of the value.
        pub value: String,
        /// Position among the values.
        pub rank: Option<u32>,
        /// A JSON object of the client's, stored as it is.
        pub metadata: Metadata,
        /// The option.
        pub option_id: Id<ProductOption>,
    }
    search [value]
    patch ProductOptionValuePatch
}

entity! {
    /// A product type.
    pub struct ProductType = "product_type" / "product_types", "ptyp" {
        /// Display name.
        pub value: String,
        /// Id in an external system.
        pub external_id: Option<String>,
        /// A JSON object of the client's, stored as it is.
        pub metadata: Metadata,
    }
    search [value]
    patch ProductTypePatch
}

entity! {
    /// A tag of products.
    pub struct ProductTag = "product_tag" / "product_tags", "ptag" {
        /// Text of the tag.
        pub value: String,
        /// Id in an external system.
        pub external_id: Option<String>,
        /// A JSON object of the client's, stored as it is.
        pub metadata: Metadata,
    }
    search [value]
    patch ProductTagPatch
}

entity! {
    /// A collection of products.
    pub struct ProductCollection = "product_collection" / "product_collections", "pcol" {
        /// Display name.
        pub title: String,
        /// Name in URLs; unique among live records.
        pub handle: String,
        /// Id in an external system.
        pub external_id: Option<String>,
        /// A JSON object of the client's, stored as it is.
        pub metadata: Metadata,
    }
    search [title]
    patch ProductCollectionPatch
}

entity! {
    /// A category: a node in a tree.
    pub struct ProductCategory = "product_category" / "product_categories", "pcat" {
        /// Display name.
        pub name: String,
        /// Description.
        pub description: String,
        /// Name in URLs; unique among live records.
        pub handle: String,
        /// The ids from the root to here, joined by dots.
        pub mpath: String,
        /// Is it shown to storefronts?
        pub is_active: bool,
        /// Is it hidden from storefronts?
        pub is_internal: bool,
        /// Position among its siblings, from 0 and without gaps; the default is the last.
        pub rank: u32 = u32::MAX,
        /// Id in an external system.
        pub external_id: Option<String>,
        /// Parent category; null for a root.
        pub parent_category_id: Option<Id<ProductCategory>>,
        /// A JSON object of the client's, stored as it is.
        pub metadata: Metadata,
    }
    search [name, description, handle]
    patch ProductCategoryPatch
}
