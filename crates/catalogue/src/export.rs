//! Exports as CSV: products in each vocabulary, listings, stock, and orders. What is stored is read in
//! batches, each from a view of its own, so that no view is held for long.

use std::{
    collections::{HashMap, HashSet},
    fs::File,
    io::{self, BufWriter, Seek as _, Write},
};

use atoll_checkout::Charged;
use atoll_inventory::{BY_ITEM, INVENTORY_ITEMS, INVENTORY_LEVELS, InventoryItem};
use atoll_kernel::{
    StoreError, Timestamp,
    data::{Direction, Entity, RowError, Scan, Service, View},
    limits::CSV_EXPORT_BYTES_MAX,
};
use atoll_links::{PRODUCT_SALES_CHANNEL, SALES_CHANNEL_EXCLUDED_VARIANT, Window};
use atoll_order::{ORDERS, Order};
use atoll_product::{PRODUCTS, Product, variants_of};
use atoll_sales_channel::{SALES_CHANNELS, SalesChannel};
use atoll_stock_location::{STOCK_LOCATIONS, StockLocation};
use atoll_store::the_store;

use crate::{
    Vocabulary,
    csv::{CsvCell, CsvWriter, RowWriter, Width},
    shown::product_of,
};

/// Records that are read from one view.
const BATCH_RECORDS: usize = 200;

/// Times that an export begins anew because products have got more than the header has columns for.
const TRIES_MAX: usize = 3;

/// What is exported.
#[derive(Clone, Debug)]
pub enum Export {
    /// Products with their variants, prices and stock.
    Products {
        /// The columns: Shopify's or Medusa's.
        vocabulary: Vocabulary,
        /// The currency of a vocabulary with one price, ISO 4217; by default that of the store.
        currency: Option<String>,
        /// Id of the location of a vocabulary with one quantity; by default that of the store.
        location: Option<String>,
        /// Their ids; `None`: all.
        ids: Option<HashSet<String>>,
    },
    /// Which channel sells which product, when, and which variants it leaves out.
    Listings,
    /// What is in stock of each SKU at each location.
    Stock,
    /// Orders, a row per line item.
    Orders(OrderFilter),
}

/// Which orders are exported.
#[derive(Clone, Debug, Default)]
pub struct OrderFilter {
    /// Id of the sales channel; `None`: of all.
    pub channel: Option<String>,
    /// Placed at this time or later.
    pub from: Option<Timestamp>,
    /// Placed before this time.
    pub until: Option<Timestamp>,
    /// Their ids; `None`: all.
    pub ids: Option<HashSet<String>>,
}

/// Why an export ended early.
#[derive(Debug, thiserror::Error)]
pub enum ExportFailed {
    /// Reading failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A record that another refers to is not there.
    #[error(transparent)]
    Row(#[from] RowError),
    /// Writing failed.
    #[error("the file cannot be written: {0}")]
    File(#[from] io::Error),
    /// Writing failed.
    #[error("the file cannot be written: {0}")]
    Csv(#[from] csv::Error),
    /// Products got more options, tags, images, channels or currencies, again and again.
    #[error("products are being changed all the time; export again when fewer are")]
    Grew,
    /// It is no file of products.
    #[error("`{0}` is not a vocabulary of products")]
    NotOfProducts(Vocabulary),
    /// It is larger than a file that is sent.
    #[error("the file has more than {CSV_EXPORT_BYTES_MAX} bytes; export fewer records, or use `atoll csv`")]
    TooLarge,
    /// Nobody waits for it any more.
    #[error("the export was ended")]
    Ended,
}

/// What an export reads, and whom it tells how far it is.
pub struct Reading<'a> {
    /// A view of what is stored now.
    pub view: &'a dyn Fn() -> View,
    /// Called after each batch with the number of records that are done; an error ends the export.
    pub progress: &'a dyn Fn(u64) -> Result<(), ExportFailed>,
}

impl Export {
    /// The number of records that it will be about, for progress.
    pub fn n_records(&self, view: &View) -> Result<u64, StoreError> {
        match self {
            Export::Products { ids: Some(ids), .. } => Ok(ids.len() as u64),
            Export::Products { .. } | Export::Listings => PRODUCTS.table.count(view),
            Export::Stock => INVENTORY_ITEMS.table.count(view),
            Export::Orders(_) => ORDERS.table.count(view),
        }
    }

    /// Writes it to a file, which is overwritten.
    pub fn write(&self, reading: &Reading<'_>, to: &mut File) -> Result<(), ExportFailed> {
        match self {
            Export::Products { .. } => {
                for _ in 0..TRIES_MAX {
                    to.set_len(0)?;
                    to.rewind()?;
                    if self.products(reading, to)? {
                        return Ok(());
                    }
                }
                Err(ExportFailed::Grew)
            }
            Export::Listings => listings(reading, to),
            Export::Stock => stock(reading, to),
            Export::Orders(filter) => orders(reading, filter, to),
        }
    }

    /// Writes products. False: one of them does not fit under the header any more.
    fn products(&self, reading: &Reading<'_>, to: &mut File) -> Result<bool, ExportFailed> {
        let Export::Products { vocabulary, currency, location, ids } = self else { return Ok(true) };
        if matches!(vocabulary, Vocabulary::Listings | Vocabulary::Stock) {
            return Err(ExportFailed::NotOfProducts(*vocabulary));
        }
        let names = Names::of(&(reading.view)())?;
        let is_wanted = |it: &Product| ids.as_ref().is_none_or(|ids| ids.contains(&*it.id));
        let mut width = Width::default();
        let silent = Reading { progress: &|_| (reading.progress)(0), ..*reading };
        each(&silent, &PRODUCTS, &mut |view, product: Product| {
            if is_wanted(&product) {
                width.take(&product_of(view, product, &names.channels)?);
            }
            Ok(())
        })?;
        let currency = currency.as_ref().unwrap_or(&names.currency);
        let location = location.as_ref().unwrap_or(&names.location);
        let mut writer = CsvWriter::new(BufWriter::new(&mut *to), *vocabulary, &width, currency, location)?;
        let mut is_wide_enough = true;
        each(reading, &PRODUCTS, &mut |view, product: Product| {
            if is_wanted(&product) && is_wide_enough {
                let product = product_of(view, product, &names.channels)?;
                is_wide_enough = width.holds(&product);
                writer.product(&product)?;
            }
            Ok(())
        })?;
        writer.finish()?;
        Ok(is_wide_enough)
    }
}

/// By what files name channels and locations, by id; and what holds where a file says nothing.
struct Names {
    channels: HashMap<String, String>,
    locations: HashMap<String, String>,
    currency: String,
    location: String,
}

impl Names {
    fn of(view: &View) -> Result<Names, StoreError> {
        let store = the_store(view)?.unwrap_or_default();
        let default = store.supported_currencies.into_iter().find(|it| it.is_default);
        let locations = names_of(view, &STOCK_LOCATIONS, |it: &StockLocation| &it.name)?;
        let only = locations.keys().next().filter(|_| locations.len() == 1).cloned();
        Ok(Names {
            channels: names_of(view, &SALES_CHANNELS, |it: &SalesChannel| &it.name)?,
            currency: default.map(|it| it.currency_code).unwrap_or_default(),
            location: store.default_location_id.or(only).unwrap_or_default(),
            locations,
        })
    }
}

/// The names of all records by id; of several with one name, the ids of all but the first.
fn names_of<T: Entity>(
    view: &View,
    service: &Service<T>,
    name: impl Fn(&T) -> &str,
) -> Result<HashMap<String, String>, StoreError> {
    let (mut names, mut used) = (HashMap::new(), HashSet::new());
    service.table.scan(view, None, Direction::Ascending, &mut |it| {
        let own = name(&it).trim().to_owned();
        let is_first = !own.is_empty() && used.insert(own.clone());
        let id = it.id().to_string();
        names.insert(id.clone(), if is_first { own } else { id });
        Ok(Scan::Continue(()))
    })?;
    Ok(names)
}

/// Visits all records of a table, in the order of their ids, in batches.
fn each<T: Entity>(
    reading: &Reading<'_>,
    service: &Service<T>,
    visit: &mut dyn FnMut(&View, T) -> Result<(), ExportFailed>,
) -> Result<(), ExportFailed> {
    let mut last: Option<String> = None;
    let mut n_done = 0;
    loop {
        let view = (reading.view)();
        let mut batch = Vec::with_capacity(BATCH_RECORDS);
        service.table.scan(&view, last.as_deref(), Direction::Ascending, &mut |record| {
            batch.push(record);
            Ok(if batch.len() < BATCH_RECORDS { Scan::Continue(()) } else { Scan::Break(()) })
        })?;
        let Some(end) = batch.last() else { return Ok(()) };
        last = Some(end.id().to_string());
        n_done += batch.len() as u64;
        batch.into_iter().try_for_each(|record| visit(&view, record))?;
        drop(view);
        (reading.progress)(n_done)?;
    }
}

fn listings(reading: &Reading<'_>, to: &mut File) -> Result<(), ExportFailed> {
    let names = Names::of(&(reading.view)())?;
    let mut writer =
        RowWriter::new(BufWriter::new(to), &["channel", "product", "variant", "from", "until", "enabled"])?;
    each(reading, &PRODUCTS, &mut |view, product: Product| {
        let text = |it: Option<Timestamp>| it.map(|it| it.to_string()).unwrap_or_default();
        for (channel, row) in PRODUCT_SALES_CHANNEL.rows_of(view, &product.id)? {
            let Some(channel) = names.channels.get(&channel) else { continue };
            let Window { from, until } = Window::of(&row);
            let cells = [channel, &product.handle, "", &*text(from), &*text(until), "TRUE"];
            writer.row(cells.map(CsvCell::Text))?;
        }
        for variant in variants_of(view, &product.id)? {
            let name = variant.sku.as_deref().unwrap_or(&variant.id);
            for channel in SALES_CHANNEL_EXCLUDED_VARIANT.lefts(view, &variant.id)? {
                let Some(channel) = names.channels.get(&channel) else { continue };
                writer.row([channel, &product.handle, name, "", "", "FALSE"].map(CsvCell::Text))?;
            }
        }
        Ok(())
    })?;
    Ok(writer.finish()?)
}

fn stock(reading: &Reading<'_>, to: &mut File) -> Result<(), ExportFailed> {
    let names = Names::of(&(reading.view)())?;
    let mut writer = RowWriter::new(BufWriter::new(to), &["location", "sku", "stocked"])?;
    each(reading, &INVENTORY_ITEMS, &mut |view, item: InventoryItem| {
        let Some(sku) = &item.sku else { return Ok(()) };
        for level in INVENTORY_LEVELS.table.list_by(view, &BY_ITEM, &[&item.id])? {
            let Some(location) = names.locations.get(&level.location_id) else { continue };
            let cells =
                [CsvCell::Text(location), CsvCell::Text(sku), CsvCell::Number(level.stocked_quantity)];
            writer.row(cells)?;
        }
        Ok(())
    })?;
    Ok(writer.finish()?)
}

/// The columns of orders. The totals are those of the whole order, in each of its rows.
const ORDER_COLUMNS: [&str; 21] = [
    "order_id", "display_id", "created_at", "channel", "status", "payment_status", "fulfillment_status",
    "customer_id", "email", "currency", "sku", "product", "variant", "quantity", "unit_price", "line_total",
    "shipping_total", "discount_total", "tax_total", "total", "paid_total",
];

fn orders(reading: &Reading<'_>, filter: &OrderFilter, to: &mut File) -> Result<(), ExportFailed> {
    let names = Names::of(&(reading.view)())?;
    let mut writer = RowWriter::new(BufWriter::new(to), &ORDER_COLUMNS)?;
    each(reading, &ORDERS, &mut |_, order: Order| {
        if order.is_draft_order || !filter.takes(&order) {
            Ok(())
        } else {
            order_rows(&mut writer, &names, &order)
        }
    })?;
    Ok(writer.finish()?)
}

impl OrderFilter {
    fn takes(&self, order: &Order) -> bool {
        self.channel.as_ref().is_none_or(|it| order.sales_channel_id.as_ref() == Some(it))
            && self.ids.as_ref().is_none_or(|it| it.contains(&*order.id))
            && self.from.is_none_or(|it| order.created_at >= it)
            && self.until.is_none_or(|it| order.created_at < it)
    }
}

/// A row per line item of an order.
fn order_rows(writer: &mut RowWriter<impl Write>, names: &Names, order: &Order) -> Result<(), ExportFailed> {
    use CsvCell::{Number, Text};
    let some = |it: &'_ Option<String>| it.clone().unwrap_or_default();
    let channel = order.sales_channel_id.as_ref().and_then(|it| names.channels.get(it).or(Some(it)));
    let (placed_at, display_id) = (order.created_at.to_string(), order.display_id.to_string());
    let (customer, email, totals) = (some(&order.customer_id), some(&order.email), order.totals());
    for line in &order.items {
        let (sku, product, variant) = (
            some(&line.variant_sku),
            line.product_title.as_ref().unwrap_or(&line.title),
            some(&line.variant_title),
        );
        writer.row([
            Text(&order.id),
            Text(&display_id),
            Text(&placed_at),
            Text(channel.map_or("", |it| it)),
            Text(order.status.as_str()),
            Text(order.payment_status.as_str()),
            Text(order.fulfillment_status.as_str()),
            Text(&customer),
            Text(&email),
            Text(&order.currency_code),
            Text(&sku),
            Text(product),
            Text(&variant),
            Number(line.quantity),
            Number(line.unit_price),
            Number(line.sums().total),
            Number(totals.shipping_total),
            Number(totals.discount_total),
            Number(totals.tax_total),
            Number(totals.total),
            Number(order.paid_total),
        ])?;
    }
    Ok(())
}
