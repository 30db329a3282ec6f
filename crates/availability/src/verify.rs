//! Consistency check of the listings: what each channel lists, and counts, is what the decision shows.

use std::collections::HashMap;

use atoll_kernel::{
    StoreError, Timestamp, check,
    query::Ids,
    storefront::Reason,
    verify::{Verify, readable},
};
use atoll_links::PRODUCT_SALES_CHANNEL;
use atoll_product::{BY_PRODUCT, PRODUCTS, VARIANTS};
use atoll_storage::KeyBuf;

use crate::{
    LISTING, Listing, Seller, Shelf,
    listing::{VARIANTS_LISTED, WHOLE},
};

// The index form of the decision against the decision.
check! {
    "availability.listings": "A channel lists the products and variants that the decision shows, and counts as many" => listings
}

/// The shelf of a channel, or of the shop as a whole, and how much it shows.
struct Expected<'a> {
    shelf: Shelf<'a>,
    n_products: u64,
    n_variants: u64,
}

fn listings(it: &mut Verify<'_>) -> Result<(), StoreError> {
    let (view, now) = (it.view, it.now);
    let mut by_channel: HashMap<String, Expected<'_>> = HashMap::new();
    let mut n_products = 0;
    it.rows(&PRODUCTS.table, |it, product| {
        let mut channels = PRODUCT_SALES_CHANNEL.rights(view, &product.id)?;
        channels.push(WHOLE.to_owned());
        let variants = VARIANTS.table.ids_by(view, &BY_PRODUCT, &[&product.id])?;
        for channel in channels {
            if !by_channel.contains_key(&channel) {
                let shelf = match name(&channel) {
                    Some(channel) => Shelf::open(view, channel, now)?,
                    None => Seller::everything(now).shelf(view)?,
                };
                by_channel.insert(channel.clone(), Expected { shelf, n_products: 0, n_variants: 0 });
            }
            let Some(shown) = by_channel.get_mut(&channel) else { continue };
            let is_shown = is_listed(&shown.shelf.shows(&product)?);
            shown.n_products += u64::from(is_shown);
            compare(
                it,
                LISTING.name,
                &Listing::products(name(&channel), now),
                &channel,
                &product.id,
                is_shown,
            )?;
            for variant in &variants {
                let is_shown = is_listed(&shown.shelf.shows_variant(&product, variant)?);
                shown.n_variants += u64::from(is_shown);
                let listing = Listing::variants(name(&channel), now);
                compare(it, VARIANTS_LISTED, &listing, &channel, variant, is_shown)?;
            }
        }
        n_products += 1;
        Ok(())
    })?;
    // Counts are comparable only if every product could be read.
    if n_products == PRODUCTS.table.count(view)? {
        counts(it, by_channel, now)?;
    }
    Ok(())
}

/// Compares the counts of the listings with what the shelves show.
fn counts(
    it: &mut Verify<'_>,
    by_channel: HashMap<String, Expected<'_>>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut by_channel: Vec<_> = by_channel.into_iter().collect();
    by_channel.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    for (channel, shown) in by_channel {
        let of = name(&channel);
        for (space, listing, n) in [
            (LISTING.name, Listing::products(of, now), shown.n_products),
            (VARIANTS_LISTED, Listing::variants(of, now), shown.n_variants),
        ] {
            let Some(counted) = readable(listing.count(it.view))? else { continue };
            if counted != n {
                it.wrong("listing.count", space, &channel, counted.to_string(), n.to_string());
            }
        }
    }
    Ok(())
}

fn compare(
    it: &mut Verify<'_>,
    space: &'static str,
    listing: &Listing,
    channel: &str,
    id: &str,
    is_shown: bool,
) -> Result<(), StoreError> {
    it.findings.checked("decisions")?;
    let is_there = listing.contains(it.view, id)?;
    if is_there != is_shown {
        let key = KeyBuf::new([0; 2]).part(channel).tail(id.as_bytes()).into_bytes();
        let text = |listed| if listed { "it is listed" } else { "it is not listed" };
        it.findings.add("listing.wrong", space, &key[2..], text(is_there), text(is_shown));
    }
    Ok(())
}

/// Listings ignore whether the channel is enabled; their readers check it.
fn is_listed(reasons: &[Reason]) -> bool {
    reasons.iter().all(|it| matches!(it, Reason::ChannelDisabled))
}

fn name(channel: &str) -> Option<&str> {
    Some(channel).filter(|it| *it != WHOLE)
}
