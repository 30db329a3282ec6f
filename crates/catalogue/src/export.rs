//! Exports as CSV: products in each vocabulary, listings, stock, and orders. What is stored is read in
//! batches, each from a view of its own, so that no view is held for long.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, BufWriter, Seek as _, Write},
    ops::Bound::{Excluded, Unbounded},
};

use atoll_checkout::Charged;
use atoll_inventory::{BY_ITEM, INVENTORY_ITEMS, INVENTORY_LEVELS, InventoryItem};
use atoll_kernel::{
    Fault, StoreError, Timestamp,
    data::{Direction, Entity, RowError, Scan, Service, View},
    limits::CSV_EXPORT_BYTES_MAX,
};
use atoll_links::{PRODUCT_SALES_CHANNEL, SALES_CHANNEL_EXCLUDED_VARIANT, Window};
use atoll_order::{ORDERS, Order};
use atoll_product::{PRODUCTS, Product, variants_of};

use crate::{
    Vocabulary,
    csv::{CsvCell, CsvWriter, RowWriter, Width},
    names::Shop,
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
        ids: Option<BTreeSet<String>>,
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
    pub ids: Option<BTreeSet<String>>,
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
    /// The disk is nearly full.
    #[error(transparent)]
    Fault(#[from] Fault),
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
            Export::Products { ids: Some(ids), .. } | Export::Orders(OrderFilter { ids: Some(ids), .. }) => {
                Ok(ids.len() as u64)
            }
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
        let shop = Shop::of(&(reading.view)())?;
        let mut width = Width::default();
        let silent = Reading { progress: &|_| (reading.progress)(0), ..*reading };
        each(&silent, &PRODUCTS, ids.as_ref(), &mut |view, product: Product| {
            width.take(&product_of(view, product, &shop.channels)?);
            Ok(())
        })?;
        let currency = currency.as_ref().unwrap_or(&shop.currency);
        let location = location.as_ref().or(shop.location.as_ref()).map_or("", |it| it);
        let mut writer = CsvWriter::new(BufWriter::new(&mut *to), *vocabulary, &width, currency, location)?;
        let mut is_wide_enough = true;
        each(reading, &PRODUCTS, ids.as_ref(), &mut |view, product: Product| {
            if is_wide_enough {
                let product = product_of(view, product, &shop.channels)?;
                is_wide_enough = width.holds(&product);
                writer.product(&product)?;
            }
            Ok(())
        })?;
        writer.finish()?;
        Ok(is_wide_enough)
    }
}

/// Visits the records with these ids, or all of a table, in the order of their ids, in batches.
fn each<T: Entity>(
    reading: &Reading<'_>,
    service: &Service<T>,
    ids: Option<&BTreeSet<String>>,
    visit: &mut dyn FnMut(&View, T) -> Result<(), ExportFailed>,
) -> Result<(), ExportFailed> {
    let mut last: Option<String> = None;
    let mut n_done = 0;
    loop {
        let view = (reading.view)();
        let (batch, end) = match ids {
            None => batch_after(&view, service, last.as_deref())?,
            Some(ids) => batch_of(&view, service, ids, last.as_deref())?,
        };
        if end.is_none() {
            return Ok(());
        }
        last = end;
        n_done += batch.len() as u64;
        batch.into_iter().try_for_each(|record| visit(&view, record))?;
        drop(view);
        (reading.progress)(n_done)?;
    }
}

/// Records, and the id after which the next ones come; none at the end.
type Batch<T> = (Vec<T>, Option<String>);

fn batch_after<T: Entity>(
    view: &View,
    service: &Service<T>,
    last: Option<&str>,
) -> Result<Batch<T>, StoreError> {
    let mut batch: Vec<T> = Vec::with_capacity(BATCH_RECORDS);
    service.table.scan(view, last, Direction::Ascending, &mut |record| {
        batch.push(record);
        Ok(if batch.len() < BATCH_RECORDS { Scan::Continue(()) } else { Scan::Break(()) })
    })?;
    let end = batch.last().map(|it| it.id().to_string());
    Ok((batch, end))
}

fn batch_of<T: Entity>(
    view: &View,
    service: &Service<T>,
    ids: &BTreeSet<String>,
    last: Option<&str>,
) -> Result<Batch<T>, StoreError> {
    let (mut batch, mut end) = (Vec::with_capacity(BATCH_RECORDS), None);
    let after = last.map_or(Unbounded, Excluded);
    for id in ids.range::<str, _>((after, Unbounded)).take(BATCH_RECORDS) {
        batch.extend(service.get(view, id)?);
        end = Some(id.clone());
    }
    Ok((batch, end))
}

fn listings(reading: &Reading<'_>, to: &mut File) -> Result<(), ExportFailed> {
    let shop = Shop::of(&(reading.view)())?;
    let mut writer =
        RowWriter::new(BufWriter::new(to), &["channel", "product", "variant", "from", "until", "enabled"])?;
    each(reading, &PRODUCTS, None, &mut |view, product: Product| {
        let text = |it: Option<Timestamp>| it.map(|it| it.to_string()).unwrap_or_default();
        for (channel, row) in PRODUCT_SALES_CHANNEL.rows_of(view, &product.id)? {
            let Some(channel) = shop.channels.of_id(&channel) else { continue };
            let Window { from, until } = Window::of(&row);
            let cells = [channel, &product.handle, "", &*text(from), &*text(until), "TRUE"];
            writer.row(cells.map(CsvCell::Text))?;
        }
        for variant in variants_of(view, &product.id)? {
            let name = variant.sku.as_deref().unwrap_or(&variant.id);
            for channel in SALES_CHANNEL_EXCLUDED_VARIANT.lefts(view, &variant.id)? {
                let Some(channel) = shop.channels.of_id(&channel) else { continue };
                writer.row([channel, &product.handle, name, "", "", "FALSE"].map(CsvCell::Text))?;
            }
        }
        Ok(())
    })?;
    Ok(writer.finish()?)
}

fn stock(reading: &Reading<'_>, to: &mut File) -> Result<(), ExportFailed> {
    let shop = Shop::of(&(reading.view)())?;
    let mut writer = RowWriter::new(BufWriter::new(to), &["location", "sku", "stocked"])?;
    each(reading, &INVENTORY_ITEMS, None, &mut |view, item: InventoryItem| {
        let Some(sku) = &item.sku else { return Ok(()) };
        for level in INVENTORY_LEVELS.table.list_by(view, &BY_ITEM, &[&item.id])? {
            let Some(location) = shop.locations.of_id(&level.location_id) else { continue };
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
    let shop = Shop::of(&(reading.view)())?;
    let mut writer = RowWriter::new(BufWriter::new(to), &ORDER_COLUMNS)?;
    each(reading, &ORDERS, filter.ids.as_ref(), &mut |_, order: Order| {
        if order.is_draft_order || !filter.takes(&order) {
            Ok(())
        } else {
            order_rows(&mut writer, &shop, &order)
        }
    })?;
    Ok(writer.finish()?)
}

impl OrderFilter {
    fn takes(&self, order: &Order) -> bool {
        self.channel.as_ref().is_none_or(|it| order.sales_channel_id.as_ref() == Some(it))
            && self.from.is_none_or(|it| order.created_at >= it)
            && self.until.is_none_or(|it| order.created_at < it)
    }
}

/// A row per line item of an order.
fn order_rows(writer: &mut RowWriter<impl Write>, shop: &Shop, order: &Order) -> Result<(), ExportFailed> {
    use CsvCell::{Foreign, Number};
    let some = |it: &'_ Option<String>| it.clone().unwrap_or_default();
    let channel = order.sales_channel_id.as_deref().unwrap_or_default();
    let channel = shop.channels.of_id(channel).unwrap_or(channel);
    let (placed_at, display_id) = (order.created_at.to_string(), order.display_id.to_string());
    let (customer, email, totals) = (some(&order.customer_id), some(&order.email), order.totals());
    for line in &order.items {
        let (sku, product, variant) = (
            some(&line.variant_sku),
            line.product_title.as_ref().unwrap_or(&line.title),
            some(&line.variant_title),
        );
        writer.row([
            Foreign(&order.id),
            Foreign(&display_id),
            Foreign(&placed_at),
            Foreign(channel),
            Foreign(order.status.as_str()),
            Foreign(order.payment_status.as_str()),
            Foreign(order.fulfillment_status.as_str()),
            Foreign(&customer),
            Foreign(&email),
            Foreign(&order.currency_code),
            Foreign(&sku),
            Foreign(product),
            Foreign(&variant),
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
