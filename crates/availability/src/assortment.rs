//! The products of a channel by their state: on sale, not yet, over, or not published; as sets for lists,
//! with counts, and what changes between two moments.

use std::collections::{BTreeMap, HashMap};

use atoll_kernel::{
    Read, StoreError, Timestamp,
    data::{Direction, Scan, Side},
    query::Ids,
    serde::Serialize,
};
use atoll_links::{PRODUCT_SALES_CHANNEL, SALES_CHANNEL_EXCLUDED_VARIANT, Window};
use atoll_product::{BY_PRODUCT, Product, ProductStatus};

use crate::{Listing, listing::PRODUCT_INDEX};

/// Does a channel that is linked to a product sell it at a time, as far as the product and its window go?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProductState {
    /// It is published, and within its window.
    OnSale,
    /// It is published, and its window begins later.
    NotYet,
    /// It is published, and its window has ended.
    Over,
    /// It is not published, whatever its window.
    NotPublished,
}

impl ProductState {
    /// The words for them.
    pub const WORDS: &[&str] = &["on_sale", "not_yet", "over", "not_published"];

    /// The state of a product in a channel.
    pub fn of(product: &Product, window: Window, at: Timestamp) -> ProductState {
        match product.status {
            ProductStatus::Published => ProductState::within(window, at),
            _ => ProductState::NotPublished,
        }
    }

    /// The state of a published product.
    fn within(window: Window, at: Timestamp) -> ProductState {
        match window {
            _ if window.is_open(at) => ProductState::OnSale,
            Window { from: Some(from), .. } if at < from => ProductState::NotYet,
            _ => ProductState::Over,
        }
    }

    /// Its word.
    pub fn as_str(self) -> &'static str {
        ProductState::WORDS[self as usize]
    }

    /// The state with this word.
    pub fn parse(word: &str) -> Option<ProductState> {
        use ProductState::{NotPublished, NotYet, OnSale, Over};
        [OnSale, NotYet, Over, NotPublished].into_iter().find(|it| it.as_str() == word)
    }
}

/// The products of a channel that are published and in this state. Those on sale are the listing; of the
/// others every window of the channel is read.
pub fn published_in(channel: &str, state: ProductState, at: Timestamp) -> Box<dyn Ids> {
    match state {
        ProductState::OnSale => Box::new(Listing::products(Some(channel), at)),
        _ => Box::new(Closed { channel: channel.to_owned(), state, at }),
    }
}

/// Published products outside of their windows.
struct Closed {
    channel: String,
    state: ProductState,
    at: Timestamp,
}

impl Ids for Closed {
    fn count(&self, view: &dyn Read) -> Result<u64, StoreError> {
        self.count_up_to(view, u64::MAX)
    }

    fn is_counted(&self) -> bool {
        false
    }

    fn scan(
        &self,
        view: &dyn Read,
        after: Option<&str>,
        direction: Direction,
        visit: &mut dyn FnMut(&str) -> Result<Scan, StoreError>,
    ) -> Result<(), StoreError> {
        PRODUCT_INDEX.scan_windows(view, &self.channel, after, direction, &mut |id, window| {
            match ProductState::within(window, self.at) == self.state {
                true => visit(id),
                false => Ok(Scan::Continue(())),
            }
        })
    }

    fn contains(&self, view: &dyn Read, id: &str) -> Result<bool, StoreError> {
        let window = PRODUCT_INDEX.window(view, &self.channel, id)?;
        Ok(window.is_some_and(|it| ProductState::within(it, self.at) == self.state))
    }
}

/// How many products of a channel are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(crate = "atoll_kernel::serde")]
pub struct ProductCounts {
    /// See [`ProductState`].
    pub on_sale: u64,
    /// See [`ProductState`].
    pub not_yet: u64,
    /// See [`ProductState`].
    pub over: u64,
    /// See [`ProductState`].
    pub not_published: u64,
}

/// Counts the products of a channel. Costs a key for each window; without windows, a few keys.
pub fn count_products(view: &dyn Read, channel: &str, at: Timestamp) -> Result<ProductCounts, StoreError> {
    let n_linked = PRODUCT_SALES_CHANNEL.lefts_set(channel.to_owned()).count(view)?;
    let on_sale = Listing::products(Some(channel), at).count(view)?;
    let mut counts = ProductCounts { on_sale, ..ProductCounts::default() };
    PRODUCT_INDEX.scan_windows(view, channel, None, Direction::Ascending, &mut |_, window| {
        match ProductState::within(window, at) {
            ProductState::NotYet => counts.not_yet += 1,
            ProductState::Over => counts.over += 1,
            ProductState::OnSale | ProductState::NotPublished => {}
        }
        Ok(Scan::Continue(()))
    })?;
    let n_published = on_sale + counts.not_yet + counts.over;
    Ok(ProductCounts { not_published: n_linked.saturating_sub(n_published), ..counts })
}

/// How many variants each of these products has, and how many of them the channel leaves out.
pub fn count_variants(
    view: &dyn Read,
    channel: &str,
    products: &[&str],
) -> Result<HashMap<String, (u64, u64)>, StoreError> {
    let mut products = products.to_vec();
    products.sort_unstable();
    let mut product_of = BTreeMap::new();
    BY_PRODUCT.scan_each(view, &products, &mut |n, variant| {
        product_of.insert(variant.to_owned(), products[n]);
        Ok(())
    })?;
    let variants: Vec<&str> = product_of.keys().map(String::as_str).collect();
    let excluded = SALES_CHANNEL_EXCLUDED_VARIANT.are_linked(view, Side::Left, channel, &variants)?;
    let mut counts: HashMap<String, (u64, u64)> = HashMap::new();
    for (product, is_out) in product_of.values().zip(excluded) {
        let (n, n_out) = counts.entry((*product).to_owned()).or_default();
        *n += 1;
        *n_out += u64::from(is_out);
    }
    Ok(counts)
}

/// A product that a channel lists, or lists no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// When.
    pub at: Timestamp,
    /// The id of the product.
    pub product: String,
    /// Does it appear? If not, it disappears.
    pub appears: bool,
}

/// The published products that appear in a channel or disappear between two moments, the first ones first:
/// what is listed at `to` differs from `from`. Costs a key for each start and end of a window in between.
pub fn products_changed(
    view: &dyn Read,
    channel: &str,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Turn>, StoreError> {
    let passed = PRODUCT_INDEX.edges_between(view, channel, from, to, Direction::Ascending, usize::MAX)?;
    // A window with one end in between: two of them make no difference.
    let changed = passed.into_iter().filter(|(.., it)| it.is_open(from) != it.is_open(to));
    Ok(changed.map(|(at, product, window)| Turn { at, product, appears: window.is_open(to) }).collect())
}
