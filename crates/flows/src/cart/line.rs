//! Shared steps on line items: whether a channel sells a variant, whether its stock suffices, and the line's
//! snapshot of it.

use atoll_availability::{ChannelScope, Seller, Shelf};
use atoll_cart::{Cart, LineItem};
use atoll_inventory::INVENTORY_ITEMS;
use atoll_kernel::{Decimal, Fault, Metadata, Read, StoreError, storefront::Reason};
use atoll_links::PRODUCT_VARIANT_INVENTORY_ITEM;
use atoll_product::{COLLECTIONS, PRODUCTS, Product, ProductVariant, TYPES, VARIANTS};

/// The cart with this id in the scope; carts of other channels are not found.
pub(crate) fn cart_in(tx: &dyn Read, scope: &ChannelScope, id: &str) -> Result<Cart, Fault> {
    scope.cart(tx, id)?.ok_or_else(|| Fault::not_found(format!("Cart id not found: {id}")))
}

/// A variant that the channel of the shelf sells, with its product. Any other is not found, whatever the
/// reason.
pub(crate) fn shown_variant(
    tx: &dyn Read,
    shelf: &Shelf<'_>,
    variant_id: &str,
) -> Result<(ProductVariant, Product), Fault> {
    let hidden = || {
        Fault::invalid(format!(
            "Variants {variant_id} do not exist or belong to a product that is not published"
        ))
    };
    if let Some(channel) = shelf.channel().filter(|it| it.is_disabled) {
        return Err(Fault::not_allowed(format!("Sales channel {} is disabled", channel.name)));
    }
    let variant = VARIANTS.get(tx, variant_id)?.ok_or_else(hidden)?;
    let product = PRODUCTS.get(tx, &variant.product_id)?.ok_or_else(hidden)?;
    let reasons = shelf.shows_variant(&product, &variant.id)?;
    if reasons.is_empty() { Ok((variant, product)) } else { Err(hidden()) }
}

/// The wire's error for insufficient stock.
pub(crate) fn refused(reason: &Reason, seller: &Seller, variant: &str) -> Fault {
    match (reason, seller.channel()) {
        (Reason::NoLocation, Some(channel)) => Fault::invalid(format!(
            "Sales channel {channel} is not associated with any stock location for variant {variant}."
        )),
        (Reason::NoInventoryItem, _) => {
            Fault::invalid(format!("Variant {variant} does not have any inventory items associated with it."))
        }
        _ => Fault::not_allowed("Some variant does not have the required inventory")
            .with_code("insufficient_inventory"),
    }
}

/// Checks that the stock of a variant suffices after the other lines of the cart.
pub(crate) fn check_stock<'a>(
    tx: &dyn Read,
    shelf: &mut Shelf<'_>,
    seller: &Seller,
    others: impl Iterator<Item = &'a LineItem>,
    (variant, quantity): (&ProductVariant, Decimal),
) -> Result<(), Fault> {
    for line in others {
        let id = line.variant_id.as_deref().unwrap_or_default();
        // Other lines whose stock does not suffice take nothing; they are reported when they are changed.
        let _fits = match id == &*variant.id {
            true => shelf.allocate(variant, line.quantity)?,
            false => match VARIANTS.get(tx, id)? {
                Some(other) => shelf.allocate(&other, line.quantity)?,
                None => continue,
            },
        };
    }
    match shelf.allocate(variant, quantity)? {
        Ok(_) => Ok(()),
        Err(reason) => Err(refused(&reason, seller, &variant.id)),
    }
}

/// A line item with a snapshot of the variant's current data.
pub(crate) fn snapshot(
    tx: &dyn Read,
    variant: &ProductVariant,
    product: &Product,
    quantity: Decimal,
    metadata: Metadata,
) -> Result<LineItem, Fault> {
    let product_type = match &product.type_id {
        Some(id) => TYPES.get(tx, id)?.map(|it| it.value),
        None => None,
    };
    let product_collection = match &product.collection_id {
        Some(id) => COLLECTIONS.get(tx, id)?.map(|it| it.title),
        None => None,
    };
    Ok(LineItem {
        title: product.title.clone(),
        subtitle: Some(variant.title.clone()),
        thumbnail: variant.thumbnail.clone().or_else(|| product.thumbnail.clone()),
        quantity,
        variant_id: Some(variant.id.to_string()),
        product_id: Some(product.id.to_string()),
        product_title: Some(product.title.clone()),
        product_description: product.description.clone(),
        product_subtitle: product.subtitle.clone(),
        product_type,
        product_type_id: product.type_id.as_ref().map(ToString::to_string),
        product_collection,
        product_handle: Some(product.handle.clone()),
        variant_sku: variant.sku.clone(),
        variant_barcode: variant.barcode.clone(),
        variant_title: Some(variant.title.clone()),
        is_giftcard: product.is_giftcard,
        requires_shipping: is_shipped(tx, variant, product)?,
        is_discountable: product.discountable,
        metadata: metadata.or_empty(),
        ..LineItem::default()
    })
}

/// Is the variant shipped? It is if its product has a shipping profile, or if one of its inventory items says
/// so.
fn is_shipped(tx: &dyn Read, variant: &ProductVariant, product: &Product) -> Result<bool, StoreError> {
    if product.shipping_profile_id.is_some() {
        return Ok(true);
    }
    for item in PRODUCT_VARIANT_INVENTORY_ITEM.rights(tx, &variant.id)? {
        if INVENTORY_ITEMS.get(tx, &item)?.is_some_and(|it| it.requires_shipping) {
            return Ok(true);
        }
    }
    Ok(false)
}
