//! The demo of `atoll serve --demo`: a catalogue of an outdoor and coffee shop (`catalogue.json`, in the
//! format of docs/catalogue-file.md), how it ships, taxes and prices (`terms.rs`), and a publishable key for
//! each of its channels.

mod terms;

use atoll_api_key::{API_KEYS, ApiKey, ApiKeyKind, NewToken, create_key};
use atoll_auth::PasswordHash;
use atoll_catalogue::{Catalogue, CatalogueChannel, NotACatalogue, import};
use atoll_flows::FirstRun;
use atoll_kernel::{
    Actor, Ctx, Fault, Metadata, Moment, Read, StoreError, Write,
    data::{Direction, Scan},
    flow::Local,
    serde_json::{Map, json},
};
use atoll_links::PUBLISHABLE_API_KEY_SALES_CHANNEL;
use atoll_sales_channel::{SALES_CHANNELS, SalesChannel};
use atoll_store::the_store;

use self::terms::{GROUP_PRICES, Given, WHOLESALE_BUYER, add_terms};

/// The demo catalogue: 40 products, some of them kits, at three locations. It is the same every time.
pub fn demo_catalogue() -> Result<Catalogue, NotACatalogue> {
    Catalogue::read(&include_bytes!("catalogue.json")[..])
}

/// A publishable key of the demo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoKey {
    /// Name of its channel.
    pub channel: String,
    /// Is the channel disabled?
    pub is_disabled: bool,
    /// The token of the key.
    pub token: String,
}

/// What a demo has, and what not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demo {
    /// A key per channel.
    pub keys: Vec<DemoKey>,
    /// The parts that it lacks, because their modules are switched off: `shipping`, `taxes`, ….
    pub lacks: Vec<&'static str>,
    /// E-mail address and password of the customer who has prices of a group, if there are such prices.
    pub buyer: Option<(&'static str, &'static str)>,
}

/// Imports the demo catalogue with its shipping, taxes and prices, unless they are there, in one transaction.
/// In a shop that this start created, the store's default channel becomes the first channel of the demo, so
/// that the first key gives access to products.
pub async fn load_demo(ctx: &Ctx, first_run: &FirstRun) -> anyhow::Result<Demo> {
    let catalogue = demo_catalogue()?;
    let mut tokens = Vec::new();
    // One more than the demo's channels: the default channel has a key already, and others may have been
    // added.
    for _ in 0..=catalogue.sales_channels.len() {
        tokens.push(NewToken::random(ApiKeyKind::Publishable)?);
    }
    let is_new = first_run.store;
    let password = PasswordHash::new(WHOLESALE_BUYER.1)?;
    let load = move |flow: &mut Local<'_>| {
        flow.step("import-demo", |tx, at| add_catalogue(tx, at, &catalogue, is_new, &tokens))?;
        let lacks = add_terms(flow, &Given { catalogue: &catalogue, password: &password })?;
        let buyer = (!lacks.contains(&GROUP_PRICES)).then_some(WHOLESALE_BUYER);
        Ok(Demo { keys: keys(flow.tx)?, lacks, buyer })
    };
    Ok(ctx.local(Actor::System, load).await?.0)
}

/// Imports the catalogue, and gives a token to each channel without a key.
fn add_catalogue(
    tx: &mut dyn Write,
    at: &Moment,
    catalogue: &Catalogue,
    is_new: bool,
    tokens: &[NewToken],
) -> Result<(), Fault> {
    if is_new && let Some(first) = catalogue.sales_channels.first() {
        adopt_default_channel(tx, at, first)?;
    }
    import(tx, at, catalogue)?;
    let mut tokens = tokens.iter();
    for channel in channels(tx)? {
        if PUBLISHABLE_API_KEY_SALES_CHANNEL.lefts(tx, &channel.id)?.is_empty()
            && let Some(token) = tokens.next()
        {
            let key = create_key(tx, at, &channel.name, token)?;
            PUBLISHABLE_API_KEY_SALES_CHANNEL.attach(tx, at, &key.id, &channel.id, Map::new())?;
        }
    }
    Ok(())
}

/// Gives the store's default channel the handle of this channel, by which the import matches it, and its key
/// the name.
fn adopt_default_channel(tx: &mut dyn Write, at: &Moment, first: &CatalogueChannel) -> Result<(), Fault> {
    let channel = the_store(tx)?.and_then(|it| it.default_sales_channel_id).unwrap_or_default();
    let handle = Map::from_iter([("handle".to_owned(), json!(first.handle))]);
    SALES_CHANNELS.update(tx, at, &channel, |it: &mut SalesChannel| it.metadata = Metadata(Some(handle)))?;
    for key in PUBLISHABLE_API_KEY_SALES_CHANNEL.lefts(tx, &channel)? {
        API_KEYS.update(tx, at, &key, |it: &mut ApiKey| it.title = first.name.clone())?;
    }
    Ok(())
}

fn channels(tx: &dyn Read) -> Result<Vec<SalesChannel>, StoreError> {
    let mut all = Vec::new();
    SALES_CHANNELS.table.scan(tx, None, Direction::Ascending, &mut |channel| {
        all.push(channel);
        Ok(Scan::Continue(()))
    })?;
    Ok(all)
}

fn keys(tx: &dyn Read) -> Result<Vec<DemoKey>, Fault> {
    let mut keys = Vec::new();
    for channel in channels(tx)? {
        for key in PUBLISHABLE_API_KEY_SALES_CHANNEL.lefts(tx, &channel.id)?.into_iter().take(1) {
            let token = API_KEYS.retrieve(tx, &key)?.stored_token;
            keys.push(DemoKey { channel: channel.name.clone(), is_disabled: channel.is_disabled, token });
        }
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use atoll_catalogue::CatalogueProduct;
    use atoll_kernel::Decimal;

    use super::*;

    /// Does `text` consist of lower-case words with hyphens between them?
    fn is_kebab(text: &str) -> bool {
        let plain = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit();
        text.split('-').all(|word| !word.is_empty() && word.chars().all(plain))
    }

    fn listed_in(catalogue: &Catalogue, channel: &str) -> usize {
        let listed = |it: &&CatalogueProduct| it.listings.iter().any(|it| it.channel == channel);
        catalogue.products.iter().filter(listed).count()
    }

    #[test]
    fn demo_catalogue_has_the_documented_contents() {
        let it = demo_catalogue().expect("a catalogue");
        let channels: HashSet<_> = it.sales_channels.iter().map(|it| it.handle.as_str()).collect();
        let locations: HashSet<_> = it.stock_locations.iter().map(|it| it.handle.as_str()).collect();
        let collections: HashSet<_> = it.collections.iter().map(|it| it.handle.as_str()).collect();
        let mut categories = HashSet::new();
        for category in &it.categories {
            assert!(category.parent.as_deref().is_none_or(|it| categories.contains(it)), "{category:?}");
            assert!(categories.insert(category.handle.as_str()), "{category:?}");
        }
        assert_eq!((it.products.len(), channels.len(), locations.len(), collections.len()), (40, 4, 3, 3));
        assert_eq!(it.sales_channels.iter().filter(|it| it.is_disabled).count(), 1);
        assert!(
            it.stock_locations.iter().flat_map(|it| &it.sales_channels).all(|it| channels.contains(&**it))
        );
        let listed: Vec<_> =
            it.sales_channels.iter().map(|channel| listed_in(&it, &channel.handle)).collect();
        assert_eq!(listed, [38, 20, 14, 5]);

        let (mut handles, mut skus, mut totals) = (HashSet::new(), HashSet::new(), Vec::new());
        let (mut kits, mut uncounted, mut backordered) = (0, 0, 0);
        for product in &it.products {
            assert!(is_kebab(&product.handle) && handles.insert(&product.handle), "{}", product.handle);
            assert!(
                product.category.as_deref().is_some_and(|it| categories.contains(it)),
                "{}",
                product.handle
            );
            assert!(product.collections.iter().all(|it| collections.contains(&**it)), "{}", product.handle);
            assert!(product.listings.iter().any(|it| it.published), "{}", product.handle);
            assert!(product.listings.iter().all(|it| channels.contains(&*it.channel)), "{}", product.handle);
            let titles: HashSet<_> = product.variants.iter().map(|it| &it.title).collect();
            assert!(titles.len() == product.variants.len() && titles.len() <= 4, "{}", product.handle);
            for variant in &product.variants {
                let sku = variant.sku.as_deref().expect("a SKU");
                let currencies: Vec<_> = variant.prices.iter().map(|it| &*it.currency_code).collect();
                assert_eq!(currencies, ["eur", "usd"], "{sku}");
                assert!(variant.stock.iter().all(|it| locations.contains(&*it.location)), "{sku}");
                assert!(
                    variant.parts.iter().all(|it| it.quantity > Decimal::ZERO && skus.contains(&*it.sku)),
                    "{sku}"
                );
                assert!(skus.insert(sku), "{sku}");
                let is_kit = !variant.parts.is_empty();
                assert_eq!(variant.stock.is_empty(), is_kit || !variant.manage_inventory, "{sku}");
                kits += usize::from(is_kit);
                uncounted += usize::from(!variant.manage_inventory);
                backordered += usize::from(variant.allow_backorder);
                if !variant.stock.is_empty() {
                    totals.push(variant.stock.iter().map(|it| it.stocked_quantity).sum::<Decimal>());
                }
            }
        }
        assert_eq!((kits, uncounted, backordered), (4, 4, 2));
        let with = |left: i64| totals.iter().filter(|it| **it == Decimal::from(left)).count();
        assert_eq!([with(0), with(1)], [1, 1]);
    }
}
