//! Products, their variants, options and images, and their taxonomy: categories, collections, tags, types.

mod choices;
mod error;
mod handle;
mod images;
mod options;
mod service;
mod taxonomy;
mod types;

use atoll_kernel::{
    data::{Index, Module, Service},
    list_index, module,
    query::{OnDelete, Relation, Resolve, Visibility, Where},
};

pub use choices::Choices;
pub use error::Error;
pub use handle::{composed, handle_of};
pub use images::assign_images;
pub use options::{
    OptionChanges, OptionInput, attach_option, create_option, delete_option, delete_option_value,
    detach_option, offer_all, update_option, values_of,
};
pub use service::{
    create_product, create_variant, delete_product, delete_variant, restore_product, update_product,
    update_variant, variants_of,
};
pub use taxonomy::{create_category, create_collection, delete_category, update_category, update_collection};
pub use types::{
    Product, ProductCategory, ProductCategoryPatch, ProductCollection, ProductCollectionPatch, ProductImage,
    ProductOption, ProductOptionPatch, ProductOptionValue, ProductOptionValuePatch, ProductPatch,
    ProductStatus, ProductTag, ProductTagPatch, ProductType, ProductTypePatch, ProductVariant,
    ProductVariantPatch,
};

/// Entity name of products in links.
pub const PRODUCT: &str = "product";
/// Entity name of variants in links.
pub const VARIANT: &str = "product_variant";

/// Entity name of categories in links.
pub const CATEGORY: &str = "product_category";

/// Unique: the handle of live products.
pub const BY_HANDLE: Index<Product> =
    Index::unique("product.by_handle", &["handle"], |it, keys| keys.add(&[&it.handle]));
const BY_COLLECTION: Index<Product> =
    Index::counted("product.by_collection", &["collection_id"], |it, keys| {
        keys.add_some(it.collection_id.as_deref());
    });
const BY_TYPE: Index<Product> =
    Index::counted("product.by_type", &["type_id"], |it, keys| keys.add_some(it.type_id.as_deref()));
const BY_STATUS: Index<Product> =
    Index::counted("product.by_status", &["status"], |it, keys| keys.add(&[it.status.as_str()]));
const BY_TAG: Index<Product> = Index::counted("product.by_tag", &["tag_ids"], |it, keys| {
    it.tag_ids.iter().for_each(|id| keys.add(&[id]));
});
/// The products that have an option.
pub const PRODUCTS_BY_OPTION: Index<Product> = Index::on("product.by_option", &["option_ids"], |it, keys| {
    it.option_ids.iter().for_each(|id| keys.add(&[id]));
});
const BY_CATEGORY: Index<Product> = Index::counted("product.by_category", &["category_ids"], |it, keys| {
    it.category_ids.iter().for_each(|id| keys.add(&[id]));
});

/// The products of a shipping profile.
pub const BY_SHIPPING_PROFILE: Index<Product> =
    Index::counted("product.by_shipping_profile", &["shipping_profile_id"], |it, keys| {
        keys.add_some(it.shipping_profile_id.as_deref());
    });

/// The variants of a product.
pub const BY_PRODUCT: Index<ProductVariant> =
    Index::on("product_variant.by_product", &["product_id"], |it, keys| keys.add(&[&it.product_id]));
/// The variants that were soft-deleted with a product, at the same moment.
pub(crate) const DELETED_WITH_PRODUCT: Index<ProductVariant> =
    Index::on_deleted("product_variant.deleted_with_product", &["product_id", "deleted_at"], |it, keys| {
        keys.add_at(&it.product_id, it.deleted_at)
    });
/// Unique: the SKU of live variants.
pub const BY_SKU: Index<ProductVariant> =
    Index::unique("product_variant.by_sku", &["sku"], |it, keys| keys.add_some(it.sku.as_deref()));
const BY_BARCODE: Index<ProductVariant> =
    Index::unique("product_variant.by_barcode", &["barcode"], |it, keys| {
        keys.add_some(it.barcode.as_deref())
    });
const BY_EAN: Index<ProductVariant> =
    Index::unique("product_variant.by_ean", &["ean"], |it, keys| keys.add_some(it.ean.as_deref()));
const BY_UPC: Index<ProductVariant> =
    Index::unique("product_variant.by_upc", &["upc"], |it, keys| keys.add_some(it.upc.as_deref()));
/// The variants that chose a value.
pub(crate) const VARIANTS_BY_VALUE: Index<ProductVariant> =
    Index::on("product_variant.by_value", &["option_value_ids"], |it, keys| {
        it.option_value_ids.iter().for_each(|id| keys.add(&[id]));
    });

/// The values that an option offers.
pub(crate) const BY_OPTION: Index<ProductOptionValue> =
    Index::on("product_option_value.by_option", &["option_id"], |it, keys| keys.add(&[&it.option_id]));

/// The values that were soft-deleted with an option, at the same moment.
pub(crate) const DELETED_WITH_OPTION: Index<ProductOptionValue> = Index::on_deleted(
    "product_option_value.deleted_with_option",
    &["option_id", "deleted_at"],
    |it, keys| keys.add_at(&it.option_id, it.deleted_at),
);

/// Unique: the value of live types.
pub const TYPE_BY_VALUE: Index<ProductType> =
    Index::unique("product_type.by_value", &["value"], |it, keys| keys.add(&[&it.value]));
/// Unique: the value of live tags.
pub const TAG_BY_VALUE: Index<ProductTag> =
    Index::unique("product_tag.by_value", &["value"], |it, keys| keys.add(&[&it.value]));
/// Unique: the handle of live collections.
pub const COLLECTION_BY_HANDLE: Index<ProductCollection> =
    Index::unique("product_collection.by_handle", &["handle"], |it, keys| keys.add(&[&it.handle]));
/// Unique: the handle of live categories.
pub const CATEGORY_BY_HANDLE: Index<ProductCategory> =
    Index::unique("product_category.by_handle", &["handle"], |it, keys| keys.add(&[&it.handle]));
pub(crate) const BY_PARENT: Index<ProductCategory> =
    Index::on("product_category.by_parent", &["parent_category_id"], |it, keys| {
        keys.add_some(it.parent_category_id.as_deref());
    });
/// The categories without a parent.
pub(crate) const ROOTS: Index<ProductCategory> =
    Index::on("product_category.roots", &["is_root"], |it, keys| {
        if it.parent_category_id.is_none() {
            keys.add(&["true"]);
        }
    });
/// The categories that storefronts show: `is_shown` is `true` for those that are active and not internal.
const SHOWN: Index<ProductCategory> = Index::counted("product_category.shown", &["is_shown"], |it, keys| {
    if it.is_active && !it.is_internal {
        keys.add(&["true"]);
    }
});

/// Write through [`create_product`] and the others, which enforce the rules of the module.
pub static PRODUCTS: Service<Product> = Service::new(&[
    BY_HANDLE, BY_COLLECTION, BY_TYPE, BY_STATUS, BY_TAG, BY_CATEGORY, PRODUCTS_BY_OPTION,
    BY_SHIPPING_PROFILE,
])
.visible(Visibility::Listing);
/// The service of variants.
pub static VARIANTS: Service<ProductVariant> =
    Service::new(&[BY_PRODUCT, DELETED_WITH_PRODUCT, BY_SKU, BY_BARCODE, BY_EAN, BY_UPC, VARIANTS_BY_VALUE])
        .visible(Visibility::Listing);
/// The service of options.
pub static OPTIONS: Service<ProductOption> = Service::new(&[]).visible(Visibility::Everyone);
/// The service of the values that options offer.
pub static OPTION_VALUES: Service<ProductOptionValue> =
    Service::new(&[BY_OPTION, DELETED_WITH_OPTION]).visible(Visibility::Everyone);
/// The service of types.
pub static TYPES: Service<ProductType> = Service::new(&[TYPE_BY_VALUE]).visible(Visibility::Everyone);
/// The service of tags.
pub static TAGS: Service<ProductTag> = Service::new(&[TAG_BY_VALUE]).visible(Visibility::Everyone);
/// The service of collections.
pub static COLLECTIONS: Service<ProductCollection> =
    Service::new(&[COLLECTION_BY_HANDLE]).visible(Visibility::Everyone);
/// The service of categories.
pub static CATEGORIES: Service<ProductCategory> =
    Service::new(&[CATEGORY_BY_HANDLE, BY_PARENT, ROOTS, SHOWN]).visible(Visibility::Listing);

list_index! {
    /// Lists of products, for admins and for storefronts.
    pub static PRODUCT_LISTS = "product" of PRODUCTS {
        filters: ["status", "collection_id", "type_id", "tag_ids", "category_ids", "is_giftcard", "discountable"],
        sorts: ["title", "handle", "created_at", "updated_at"],
        search: true,
        block_size: 1024,
        children: VARIANTS ("product_variant") by "product_id",
    }
}
list_index! {
    /// Lists of variants, for admins and for storefronts.
    pub static VARIANT_LISTS = "product_variant" of VARIANTS {
        filters: ["manage_inventory", "allow_backorder"],
        sorts: ["title", "sku", "created_at", "updated_at"],
        search: true,
    }
}

/// Filter for the categories that storefronts show: active and not internal.
pub fn shown_categories() -> Where {
    Where { table: &CATEGORIES.table, field: "is_shown", value: "true".into() }
}

/// A relation from products to their taxonomy. The foreign key is cleared when the target is deleted.
const fn sorted_into(name: &'static str, to: &'static str, many: bool, field: &'static str) -> Relation {
    Relation { many, on_delete: OnDelete::Clear, ..Relation::one(PRODUCT, name, to, Resolve::Field(field)) }
}

module! { Module {
    name: "product",
    summary: "Products, variants, options and images; categories, collections, tags, types",
    services: &[
        &PRODUCTS, &VARIANTS, &OPTIONS, &OPTION_VALUES, &TYPES, &TAGS, &COLLECTIONS, &CATEGORIES,
    ],
    relations: &[
        Relation { searched: true, ..Relation::many(PRODUCT, "variants", VARIANT, Resolve::Back("product_id")) },
        Relation::many(PRODUCT, "options", "product_option", Resolve::Field("option_ids")),
        sorted_into("type", "product_type", false, "type_id"),
        sorted_into("collection", "product_collection", false, "collection_id"),
        sorted_into("tags", "product_tag", true, "tag_ids"),
        sorted_into("categories", CATEGORY, true, "category_ids"),
        Relation::one(VARIANT, "product", PRODUCT, Resolve::Field("product_id")),
        Relation::many(VARIANT, "options", "product_option_value", Resolve::Field("option_value_ids")),
        Relation::many("product_option", "products", PRODUCT, Resolve::Back("option_ids")),
        Relation::many("product_option", "values", "product_option_value", Resolve::Back("option_id")),
        Relation::one("product_option_value", "option", "product_option", Resolve::Field("option_id")),
        Relation::one(CATEGORY, "parent_category", CATEGORY, Resolve::Field("parent_category_id")),
        Relation {
            sorted_by: Some("rank"),
            ..Relation::many(CATEGORY, "category_children", CATEGORY, Resolve::Back("parent_category_id"))
        },
        Relation::many(CATEGORY, "products", PRODUCT, Resolve::Back("category_ids")),
        Relation::many("product_collection", "products", PRODUCT, Resolve::Back("collection_id")),
        Relation::many("product_tag", "products", PRODUCT, Resolve::Back("tag_ids")),
        Relation::many("product_type", "products", PRODUCT, Resolve::Back("type_id")),
    ],
    ..Module::EMPTY
} }
