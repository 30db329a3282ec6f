//! Puts products into a sales channel, and takes them out.

use std::collections::HashSet;

use atoll_kernel::{Fault, Link, Moment, Write, serde_json::Map};
use atoll_links::PRODUCT_SALES_CHANNEL;
use atoll_sales_channel::SALES_CHANNELS;

/// Puts the products of `add` into a channel, and takes those of `remove` out. All of them must exist to be
/// added; an id in both is taken out.
pub fn link_products_to_sales_channel(
    tx: &mut dyn Write,
    at: &Moment,
    channel: &str,
    add: &[String],
    remove: &[String],
) -> Result<(), Fault> {
    if !SALES_CHANNELS.table.exists(tx, channel)? {
        return Err(Fault::not_found(format!("Sales channel with id: {channel} not found")));
    }
    link_all(tx, at, &PRODUCT_SALES_CHANNEL, add, remove, |product| (product, channel))
}

/// Adds and removes pairs of a link; `pair` makes left and right of one id.
pub fn link_all<'a>(
    tx: &mut dyn Write,
    at: &Moment,
    link: &'static Link,
    add: &'a [String],
    remove: &'a [String],
    pair: impl Fn(&'a str) -> (&'a str, &'a str),
) -> Result<(), Fault> {
    let gone: HashSet<&String> = remove.iter().collect();
    for id in add.iter().filter(|id| !gone.contains(id)) {
        let (left, right) = pair(id);
        link.attach(tx, at, left, right, Map::new())?;
    }
    for id in remove {
        let (left, right) = pair(id);
        link.detach(tx, at, left, right)?;
    }
    Ok(())
}
