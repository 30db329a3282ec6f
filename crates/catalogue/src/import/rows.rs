//! What only files of rows have: references to what is in the shop, listings of products and variants in
//! channels, and stock.

use atoll_inventory::{BY_SKU as ITEM_BY_SKU, INVENTORY_ITEMS};
use atoll_kernel::{Fault, serde_json::Map};
use atoll_links::SALES_CHANNEL_EXCLUDED_VARIANT;
use atoll_product::{BY_HANDLE, BY_SKU, PRODUCTS, VARIANTS};

use super::{Import, Named};
use crate::{
    CatalogueProduct, ProblemKind,
    model::Place,
    names::Shop,
    report::{Fate, Path},
    source::Source,
};

impl Import<'_> {
    /// Takes up what rows refer to.
    pub(super) fn shop(&mut self) -> Result<(), Fault> {
        let Source::Csv(csv) = self.so_far.outline.source.clone() else { return Ok(()) };
        for (column, message) in csv.header.warnings() {
            let place = Place { row: 1, column: Some(column) };
            self.problem(&Path::of(String::new(), Some(place)), ProblemKind::Column, message);
        }
        self.so_far.shop = Shop::of(self.tx)?;
        Ok(())
    }

    /// A row about a product in a channel, or about a variant that the channel leaves out.
    pub(super) fn listing_row(&mut self, path: &Path, input: &CatalogueProduct) -> Result<(), Fault> {
        let [listing] = &input.listings[..] else { return Ok(()) };
        let by_handle = PRODUCTS.table.get_by(self.tx, &BY_HANDLE, &[&input.handle])?;
        let Some(product) =
            by_handle.map_or_else(|| PRODUCTS.get(self.tx, &input.handle), |it| Ok(Some(it)))?
        else {
            let message = format!("product `{}` does not exist; left out", input.handle);
            self.problem(path, ProblemKind::Reference, message);
            return Ok(());
        };
        let Some(name) = input.variants.first().and_then(|it| it.sku.as_deref()) else {
            return self.listings(path, input, &product);
        };
        let by_sku = VARIANTS.table.get_by(self.tx, &BY_SKU, &[name])?;
        let variant = by_sku.map_or_else(|| VARIANTS.get(self.tx, name), |it| Ok(Some(it)))?;
        let Some(variant) = variant.filter(|it| it.product_id == product.id) else {
            let message = format!("product `{}` has no variant `{name}`; left out", product.handle);
            self.problem(path, ProblemKind::Reference, message);
            return Ok(());
        };
        if listing.available_from.is_some() || listing.available_until.is_some() {
            let message = "a period of sale is that of the whole product; left out of the row of a variant";
            self.problem(path, ProblemKind::Listing, message);
        }
        let Some(channel) = self.named(path, Named::Channel, &listing.channel, "left out") else {
            return Ok(());
        };
        let is_excluded = SALES_CHANNEL_EXCLUDED_VARIANT.has(self.tx, &channel, &variant.id)?;
        let fate = match (is_excluded, listing.published) {
            (true, true) => {
                SALES_CHANNEL_EXCLUDED_VARIANT.detach(self.tx, self.at, &channel, &variant.id)?;
                Fate::Updated
            }
            (false, false) => {
                SALES_CHANNEL_EXCLUDED_VARIANT.attach(self.tx, self.at, &channel, &variant.id, Map::new())?;
                Fate::Updated
            }
            _ => Fate::Unchanged,
        };
        self.so_far.report.count("listings", fate);
        Ok(())
    }

    /// A row about the stock of a SKU at a location.
    pub(super) fn stock_row(&mut self, path: &Path, input: &CatalogueProduct) -> Result<(), Fault> {
        let [variant] = &input.variants[..] else { return Ok(()) };
        let sku = variant.sku.as_deref().unwrap_or_default();
        match INVENTORY_ITEMS.table.get_by(self.tx, &ITEM_BY_SKU, &[sku])? {
            Some(item) => self.stock_of(path, &variant.stock, &item),
            None => {
                let message = format!("no inventory item has SKU `{sku}`; left out");
                self.problem(path, ProblemKind::Sku, message);
                Ok(())
            }
        }
    }
}
