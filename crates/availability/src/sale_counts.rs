//! How many variants each channel sells, and how many the first reason keeps from sale: counted by a job,
//! some products at a time, and kept, because all of them are too many for a request.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use atoll_kernel::{
    Actor, Ctx, Decimal, Fault, Moment, Read, StoreError, Timestamp, Write,
    data::{Direction, Module, Scan, Slots, SpaceDef, View},
    job,
    jobs::{Tick, in_batches},
    module,
    query::Ids,
    serde::{Deserialize, Serialize},
    stored,
};
use atoll_links::PRODUCT_SALES_CHANNEL;
use atoll_pricing::PriceContext;
use atoll_product::{BY_PRODUCT, VARIANTS};
use atoll_region::REGIONS;
use atoll_sales_channel::SALES_CHANNELS;
use atoll_storage::{Span, WriteKeys};
use atoll_store::the_store;

use crate::{CHANNEL, Shelf, announce, price_context, shelf::Article};

/// Products whose variants are counted in one snapshot: some ten milliseconds, and one short transaction.
const PRODUCTS_AT_ONCE: usize = 200;

/// Products that one run of the job looks at, so that a large shop spends about a hundredth of a processor on
/// this. The next run goes on where it has stopped.
const PRODUCTS_PER_RUN: usize = 20_000;

stored! {
    /// The variants of a channel by the first reason against the sale of one piece.
    #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(default, crate = "atoll_kernel::serde")]
    pub struct SaleCounts {
        /// When counting began. What has changed since may be counted as it was before.
        pub began_at: Timestamp,
        /// When it ended.
        pub counted_at: Timestamp,
        /// The currency in which there had to be a price: that of the default region of the store, or else
        /// its default currency. `None`: it has neither, and no price was asked for.
        pub currency_code: Option<String>,
        /// How many variants the products of the channel have.
        pub n_variants: u64,
        /// How many of them it sells.
        pub n_sold: u64,
        /// How many each first reason keeps from sale, by its code.
        pub n_blocked: BTreeMap<String, u64>,
    }
}

stored! {
    /// How far the job has come.
    #[derive(Clone, Debug, Default, Serialize, Deserialize)]
    #[serde(default, crate = "atoll_kernel::serde")]
    struct Place {
        /// The channel that is being counted, or was counted last.
        channel: String,
        /// The last product that was counted.
        after: Option<String>,
        /// Has all of the channel been counted?
        is_counted: bool,
        counts: SaleCounts,
    }
}

/// The counts, by channel.
const COUNTS: Slots<SaleCounts> = Slots::new("availability.sale_counts");

/// One value, while the channels have not been counted all.
const PLACE: Slots<Place> = Slots::new("availability.sale_counts_place");
const ONE: &[u8] = b"";

/// The spaces of this crate beside the listings.
static SPACES: [SpaceDef; 7] = {
    let [a, b, c, d, e] = announce::SPACES;
    [COUNTS.def(), PLACE.def(), a, b, c, d, e]
};

module! { Module {
    name: "availability",
    summary: "What channels sell: how many variants, what keeps the others from sale, and what was announced",
    spaces: &SPACES,
    ..Module::EMPTY
} }

/// What the job has counted of a channel; `None` if it has not come to it yet.
pub fn sale_counts(view: &dyn Read, channel: &str) -> Result<Option<SaleCounts>, StoreError> {
    COUNTS.read(view, channel.as_bytes())
}

job! { "availability.count-sales" every Duration::from_secs(300) => count_all }

async fn count_all(ctx: Ctx, _: Tick) -> Result<(), Fault> {
    let mut channels = BTreeSet::new();
    SALES_CHANNELS.table.scan_undamaged(&ctx.view(), &mut |channel| {
        channels.insert(channel.id.to_string());
        Ok(Scan::Continue(()))
    })?;
    let place = PLACE.read(&ctx.view(), ONE)?.unwrap_or_default();
    let mut n_left = PRODUCTS_PER_RUN;
    for channel in channels.iter().filter(|it| !place.is_past(it)) {
        if !count_channel(&ctx, channel, &mut n_left).await? {
            return Ok(());
        }
    }
    let finish = move |tx: &mut dyn Write, _: &Moment| {
        let key = PLACE.key(tx, ONE);
        tx.delete(key);
        forget_others(tx, &channels)
    };
    ctx.write(Actor::System, finish).await.map(drop)
}

/// Removes the counts of channels that are there no more.
fn forget_others(tx: &mut dyn Write, channels: &BTreeSet<String>) -> Result<(), Fault> {
    let prefix = COUNTS.key(tx, b"");
    let mut gone = Vec::new();
    tx.scan(&Span::prefix(&prefix), Direction::Ascending, &mut |key, _| {
        if !channels.contains(&*String::from_utf8_lossy(&key[prefix.len()..])) {
            gone.push(key.to_vec());
        }
        Ok(Scan::Continue(()))
    })?;
    gone.into_iter().for_each(|key| tx.delete(key));
    Ok(())
}

/// Counts a channel, or goes on with it. False if the run has looked at as many products as it may.
async fn count_channel(ctx: &Ctx, channel: &str, n_left: &mut usize) -> Result<bool, Fault> {
    let mut place = Place::of(ctx, channel)?;
    while !place.is_counted {
        if *n_left == 0 {
            return Ok(false);
        }
        let products = place.next(&ctx.view())?;
        // A channel without products is counted by a transaction, too.
        *n_left = n_left.saturating_sub(products.len().max(1));
        let counts = Mutex::new(place.counts);
        let count = |some: Vec<String>| {
            let (counts, channel, at) = (&counts, channel.to_owned(), ctx.now());
            async move {
                let of_some = move |view: &View| Ok(SaleCounts::of(view, &channel, &some, at)?);
                let more = ctx.read(&ctx.view(), of_some).await?;
                counts.lock().unwrap_or_else(PoisonError::into_inner).add(more);
                Ok(())
            }
        };
        in_batches("product", &products, PRODUCTS_AT_ONCE, count).await?;
        place.counts = counts.into_inner().unwrap_or_else(PoisonError::into_inner);
        place.is_counted = products.len() < PRODUCTS_AT_ONCE;
        place.after = products.last().cloned();
        place.counts.counted_at = ctx.now();
        let kept = place.clone();
        let keep = move |tx: &mut dyn Write, _: &Moment| {
            PLACE.write(tx, ONE, &kept);
            if kept.is_counted {
                COUNTS.write(tx, kept.channel.as_bytes(), &kept.counts);
            }
            Ok(())
        };
        ctx.write(Actor::System, keep).await?;
    }
    Ok(true)
}

impl Place {
    /// Where to go on in this channel.
    fn of(ctx: &Ctx, channel: &str) -> Result<Place, Fault> {
        let place = PLACE.read(&ctx.view(), ONE)?.filter(|it| it.channel == channel);
        let counts = SaleCounts { began_at: ctx.now(), ..SaleCounts::default() };
        Ok(place.unwrap_or_else(|| Place { channel: channel.to_owned(), counts, ..Place::default() }))
    }

    fn is_past(&self, channel: &str) -> bool {
        channel < self.channel.as_str() || self.is_counted && channel == self.channel
    }

    /// The next products of the channel.
    fn next(&self, view: &dyn Read) -> Result<Vec<String>, StoreError> {
        let mut products = Vec::new();
        let all = PRODUCT_SALES_CHANNEL.lefts_set(self.channel.clone());
        all.scan(view, self.after.as_deref(), Direction::Ascending, &mut |product| {
            products.push(product.to_owned());
            Ok(if products.len() < PRODUCTS_AT_ONCE { Scan::Continue(()) } else { Scan::Break(()) })
        })?;
        Ok(products)
    }
}

impl SaleCounts {
    /// Those of these products of a channel.
    fn of(
        view: &dyn Read,
        channel: &str,
        products: &[String],
        at: Timestamp,
    ) -> Result<SaleCounts, StoreError> {
        let price = usual_price(view, channel, at)?;
        let mut shelf = Shelf::open(view, channel, at)?;
        let currency_code = price.as_ref().map(|it| it.currency_code.clone());
        let mut counts = SaleCounts { currency_code, ..SaleCounts::default() };
        for product in products {
            for variant in VARIANTS.table.list_by(view, &BY_PRODUCT, &[product])? {
                let article = Article::of(view, variant)?;
                let (verdict, _) = shelf.decide_on(article.as_ref(), Decimal::ONE, price.as_ref())?;
                counts.n_variants += 1;
                match verdict.reasons.first() {
                    None => counts.n_sold += 1,
                    Some(reason) => *counts.n_blocked.entry(reason.code().to_owned()).or_default() += 1,
                }
            }
        }
        Ok(counts)
    }

    fn add(&mut self, more: SaleCounts) {
        self.currency_code = more.currency_code;
        self.n_variants += more.n_variants;
        self.n_sold += more.n_sold;
        for (code, n) in more.n_blocked {
            *self.n_blocked.entry(code).or_default() += n;
        }
    }
}

/// The price without which one piece is not for sale: in the default region of the store, or else in its
/// default currency.
fn usual_price(view: &dyn Read, channel: &str, at: Timestamp) -> Result<Option<PriceContext>, StoreError> {
    let Some(store) = the_store(view)? else { return Ok(None) };
    let region = store.default_region_id.map_or(Ok(None), |it| REGIONS.get(view, &it))?;
    let default = store.supported_currencies.into_iter().find(|it| it.is_default);
    let currency = region.as_ref().map(|it| it.currency_code.clone()).or(default.map(|it| it.currency_code));
    let region = region.as_ref().map(|it| &*it.id);
    let price = currency.map(|it| price_context(&it, region, Some(Decimal::ONE), at));
    Ok(price.map(|it| it.with(CHANNEL, Some(channel))))
}
