//! Which products a channel lists: the index form of the decision, so that a page of a storefront costs keys in
//! proportion to the page and its count costs one.
//!
//! A product is listed in a channel when it is linked to it and published. That the channel is enabled is one
//! look at the channel, and is left to whoever reads the listing.

use atoll_kernel::{
    Change, Ids, KeyBuf, Order, Projection, Read, Scalar, Scan, Space, Span, StoreError, TableSource, Write,
    add_to_group, group_count, projection,
};
use atoll_links::PRODUCT_SALES_CHANNEL;
use atoll_product::{PRODUCTS, ProductStatus};

/// Its key space: channel, then product.
const SPACE: Space = "availability.listing";

projection! {
    /// Follows products and their channels.
    pub static LISTING = Projection {
        name: SPACE,
        follows: &["product", "product_sales_channel"],
        spaces: &[SPACE],
        update,
    };
}

fn update(tx: &mut dyn Write, change: &Change<'_>) -> Result<(), StoreError> {
    let Some(record) = change.after.or(change.before) else { return Ok(()) };
    if change.of == PRODUCT_SALES_CHANNEL.name {
        let (Scalar::Text(product), Scalar::Text(channel)) =
            (record.scalar("product_id"), record.scalar("sales_channel_id"))
        else {
            return Ok(());
        };
        let listed = change.after.is_some()
            && PRODUCTS.get(tx, product)?.is_some_and(|it| it.status == ProductStatus::Published);
        return set(tx, channel, product, listed);
    }
    let published = Scalar::Text(ProductStatus::Published.as_str());
    let was = change.before.is_some_and(|it| it.scalar("status") == published);
    let is = change.after.is_some_and(|it| it.scalar("status") == published);
    if was != is {
        for channel in PRODUCT_SALES_CHANNEL.rights(tx, record.key())? {
            set(tx, &channel, record.key(), is)?;
        }
    }
    Ok(())
}

fn key(tx: &dyn Read, channel: &str, product: &str) -> Vec<u8> {
    KeyBuf::new(tx.prefix(SPACE)).part(channel).tail(product.as_bytes()).into_bytes()
}

fn set(tx: &mut dyn Write, channel: &str, product: &str, listed: bool) -> Result<(), StoreError> {
    let key = key(tx, channel, product);
    let was_listed = tx.get(&key)?.is_some();
    match (was_listed, listed) {
        (false, true) => {
            tx.put(key, Vec::new());
            add_to_group(tx, SPACE, &[channel], 1)
        }
        (true, false) => {
            tx.delete(key);
            add_to_group(tx, SPACE, &[channel], -1)
        }
        _ => Ok(()),
    }
}

/// The products that one channel lists.
pub struct Listing {
    /// The channel, by its id.
    pub channel: String,
}

impl Ids for Listing {
    fn count(&self, view: &dyn Read) -> Result<u64, StoreError> {
        group_count(view, SPACE, &[&self.channel])
    }

    fn scan(
        &self,
        view: &dyn Read,
        order: Order,
        visit: &mut dyn FnMut(&str) -> Result<Scan, StoreError>,
    ) -> Result<(), StoreError> {
        let group = key(view, &self.channel, "");
        view.scan(&Span::prefix(&group), order, &mut |key, _| {
            visit(&String::from_utf8_lossy(&key[group.len()..]))
        })
    }

    fn contains(&self, view: &dyn Read, id: &str) -> Result<bool, StoreError> {
        Ok(view.get(&key(view, &self.channel, id))?.is_some())
    }
}

/// The products that the shop as a whole lists, where sales channels are switched off.
pub struct Published;

impl Ids for Published {
    fn count(&self, view: &dyn Read) -> Result<u64, StoreError> {
        PRODUCTS.table.count_where(view, "status", ProductStatus::Published.as_str())
    }

    fn scan(
        &self,
        view: &dyn Read,
        order: Order,
        visit: &mut dyn FnMut(&str) -> Result<Scan, StoreError>,
    ) -> Result<(), StoreError> {
        PRODUCTS.table.ids_where(view, "status", ProductStatus::Published.as_str(), order, visit)
    }

    fn contains(&self, view: &dyn Read, id: &str) -> Result<bool, StoreError> {
        Ok(PRODUCTS.get(view, id)?.is_some_and(|it| it.status == ProductStatus::Published))
    }
}
