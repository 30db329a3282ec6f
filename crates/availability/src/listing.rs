//! The listing: a maintained index (projection) of the products and variants that each channel shows. With
//! it, a page costs reads in proportion to its size, and a count costs one read.
//!
//! A product is listed in a channel when it is linked to it, published, and inside its availability window.
//! Its variants are listed with it, except those that the channel excludes. Readers check by themselves that
//! the channel is enabled. The shop as a whole, for when sales channels are switched off, lists everything
//! that is published.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use atoll_kernel::{
    Actor, Ctx, Fault, Moment, Now, Read, StoreError, Timestamp, Write,
    data::{Change, Projection, Record, Scalar, Scan, Side, TableSource},
    job,
    jobs::{Tick, in_batches},
    projection,
};
use atoll_links::{PRODUCT_SALES_CHANNEL, SALES_CHANNEL_EXCLUDED_VARIANT, Window};
use atoll_product::{
    BY_PRODUCT, PRODUCT, PRODUCT_LISTS, PRODUCTS, ProductStatus, VARIANT, VARIANT_LISTS, VARIANTS,
};
use atoll_sales_channel::SALES_CHANNELS;
use atoll_storage::Sets;

use crate::windowed::{Listing, TemporalIndex};

const PRODUCTS_LISTED: &str = "availability.listing";
pub(crate) const VARIANTS_LISTED: &str = "availability.variant_listing";
pub(crate) static PRODUCT_INDEX: TemporalIndex = TemporalIndex {
    listed: PRODUCTS_LISTED,
    windows: "availability.windows",
    edges: "availability.edges",
    swept: "availability.swept",
    sets: Sets::new("availability.sets"),
    numbers: &PRODUCT_LISTS,
};
static VARIANT_INDEX: TemporalIndex = TemporalIndex {
    listed: VARIANTS_LISTED,
    windows: "availability.variant_windows",
    edges: "availability.variant_edges",
    swept: "availability.variant_swept",
    sets: Sets::new("availability.variant_sets"),
    numbers: &VARIANT_LISTS,
};
static INDEXES: [&TemporalIndex; 2] = [&PRODUCT_INDEX, &VARIANT_INDEX];

/// Used instead of a channel id for the shop as a whole.
pub(crate) const WHOLE: &str = "";

/// Window boundaries that one transaction sweeps: a long transaction would block other writes.
const N_SWEPT_MAX: usize = 500;

projection! {
    /// Maintains the listings on changes of products, variants, their channel links and exclusions.
    pub static LISTING = Projection {
        name: PRODUCTS_LISTED,
        follows: &[PRODUCT, VARIANT, "product_sales_channel", "sales_channel_excluded_variant"],
        spaces: &[
            PRODUCT_INDEX.listed, PRODUCT_INDEX.windows, PRODUCT_INDEX.edges, PRODUCT_INDEX.swept,
            PRODUCT_INDEX.sets.space(),
            VARIANT_INDEX.listed, VARIANT_INDEX.windows, VARIANT_INDEX.edges, VARIANT_INDEX.swept,
            VARIANT_INDEX.sets.space(),
        ],
        kept: &[PRODUCT_INDEX.swept, VARIANT_INDEX.swept],
        version: 2,
        update,
        update_all: Some(update_all),
        ..Projection::EMPTY
    };
}

/// Products that are linked to one channel, or unlinked from it, are listed together.
fn update_all(tx: &mut dyn Write, changes: &[Change<'_>]) -> Result<(), StoreError> {
    let mut linked: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for change in changes {
        match change.after.or(change.before) {
            Some(record) if change.of == "product_sales_channel" => {
                let channel = linked.entry(text(record, "sales_channel_id")).or_default();
                channel.insert(text(record, "product_id"));
            }
            _ => update(tx, change)?,
        }
    }
    for (channel, products) in linked {
        list_products(tx, channel, &products.into_iter().collect::<Vec<_>>())?;
    }
    Ok(())
}

fn text<'a>(record: &'a dyn Record, field: &str) -> &'a str {
    match record.scalar(field) {
        Scalar::Text(text) => text,
        _ => "",
    }
}

fn update(tx: &mut dyn Write, change: &Change<'_>) -> Result<(), StoreError> {
    let Some(record) = change.after.or(change.before) else { return Ok(()) };
    let text = |field| text(record, field);
    match change.of {
        PRODUCT => {
            let is_published = |it: Option<&dyn Record>| {
                it.is_some_and(|it| it.scalar("status") == Scalar::Text(ProductStatus::Published.as_str()))
            };
            if is_published(change.before) == is_published(change.after) {
                return Ok(());
            }
            for channel in channels_of(tx, record.key())? {
                list_products(tx, &channel, &[record.key()])?;
            }
            Ok(())
        }
        // Updates of a variant do not change where it is listed.
        VARIANT if change.before.is_some() && change.after.is_some() => Ok(()),
        VARIANT => {
            let product = text("product_id");
            for channel in channels_of(tx, product)? {
                let window = window(tx, &channel, product)?;
                list_variant(tx, &channel, record.key(), window)?;
            }
            Ok(())
        }
        "product_sales_channel" => list_products(tx, text("sales_channel_id"), &[text("product_id")]),
        _ => {
            let (channel, variant) = (text("sales_channel_id"), text("variant_id"));
            let product = VARIANTS.get(tx, variant)?.map(|it| it.product_id);
            let window = product.map_or(Ok(None), |product| window(tx, channel, &product))?;
            list_variant(tx, channel, variant, window)
        }
    }
}

/// The channels that a product is linked to, and the shop as a whole.
fn channels_of(tx: &dyn Read, product: &str) -> Result<Vec<String>, StoreError> {
    let mut channels = PRODUCT_SALES_CHANNEL.rights(tx, product)?;
    channels.push(WHOLE.to_owned());
    Ok(channels)
}

/// The window in which a channel lists a product; `None` if it does not.
fn window(tx: &dyn Read, channel: &str, product: &str) -> Result<Option<Window>, StoreError> {
    Ok(windows(tx, channel, &[product])?[0])
}

/// The windows in which a channel lists these products, which must ascend.
fn windows(tx: &dyn Read, channel: &str, products: &[&str]) -> Result<Vec<Option<Window>>, StoreError> {
    let mut published = vec![false; products.len()];
    PRODUCTS.table.get_each(tx, products, &mut |n, product| {
        published[n] = product.status == ProductStatus::Published;
        Ok(())
    })?;
    let windows: Vec<_> = match channel {
        WHOLE => vec![Some(Window::default()); products.len()],
        _ => {
            let rows = PRODUCT_SALES_CHANNEL.rows_with(tx, Side::Right, channel, products)?;
            rows.iter().map(|row| row.as_ref().map(Window::of)).collect()
        }
    };
    Ok(windows.into_iter().zip(published).map(|(it, is_published)| it.filter(|_| is_published)).collect())
}

/// Lists these products, which must ascend, and their variants, each in the window of its product.
fn list_products(tx: &mut dyn Write, channel: &str, products: &[&str]) -> Result<(), StoreError> {
    let windows = windows(tx, channel, products)?;
    let listed = products.iter().copied().zip(windows.iter().copied());
    PRODUCT_INDEX.set_all(tx, channel, &listed.collect::<Vec<_>>())?;
    let mut variants = BTreeMap::new();
    BY_PRODUCT.scan_each(tx, products, &mut |n, variant| {
        variants.insert(variant.to_owned(), windows[n]);
        Ok(())
    })?;
    let ids: Vec<&str> = variants.keys().map(String::as_str).collect();
    let excluded = SALES_CHANNEL_EXCLUDED_VARIANT.are_linked(tx, Side::Left, channel, &ids)?;
    let listed = variants.iter().zip(excluded);
    let listed = listed.map(|((id, window), is_out)| (id.as_str(), window.filter(|_| !is_out)));
    VARIANT_INDEX.set_all(tx, channel, &listed.collect::<Vec<_>>())
}

/// Lists a variant in the window of its product, or removes it.
fn list_variant(
    tx: &mut dyn Write,
    channel: &str,
    variant: &str,
    window: Option<Window>,
) -> Result<(), StoreError> {
    let is_listed = window.is_some()
        && VARIANTS.table.has(tx, variant)?
        && !SALES_CHANNEL_EXCLUDED_VARIANT.has(tx, channel, variant)?;
    VARIANT_INDEX.set_all(tx, channel, &[(variant, window.filter(|_| is_listed))])
}

job! { "availability.sweep-listings" every Duration::from_secs(60) => sweep_all }

async fn sweep_all(ctx: Ctx, _: Tick) -> Result<(), Fault> {
    let mut channels = Vec::new();
    SALES_CHANNELS.table.scan_undamaged(&ctx.view(), &mut |channel| {
        channels.push(channel.id.to_string());
        Ok(Scan::Continue(()))
    })?;
    let sweep = |channels: Vec<String>| {
        let ctx = ctx.clone();
        async move {
            for channel in &channels {
                sweep_channel(&ctx, channel).await?;
            }
            Ok(())
        }
    };
    in_batches("channel", &channels, 1, sweep).await
}

async fn sweep_channel(ctx: &Ctx, channel: &str) -> Result<(), Fault> {
    for index in INDEXES {
        let now = ctx.now();
        while index.is_behind(&ctx.view(), channel, now)? {
            let channel = channel.to_owned();
            let step = move |tx: &mut dyn Write, _: &Moment| Ok(index.sweep(tx, &channel, now, N_SWEPT_MAX)?);
            ctx.write(Actor::System, step).await?;
        }
    }
    Ok(())
}

/// Advances the indexes of a channel to `now`, or by at most `n_max` window boundaries.
pub fn sweep(tx: &mut dyn Write, channel: &str, now: Timestamp, n_max: usize) -> Result<(), StoreError> {
    INDEXES.iter().try_for_each(|index| index.sweep(tx, channel, now, n_max))
}

impl Listing {
    /// The products of a channel, or of the shop as a whole.
    pub fn products(channel: Option<&str>, at: impl Into<Now>) -> Listing {
        Listing { index: &PRODUCT_INDEX, channel: channel.unwrap_or(WHOLE).to_owned(), at: at.into() }
    }

    /// The variants of a channel, or of the shop as a whole.
    pub fn variants(channel: Option<&str>, at: impl Into<Now>) -> Listing {
        Listing { index: &VARIANT_INDEX, channel: channel.unwrap_or(WHOLE).to_owned(), at: at.into() }
    }
}
