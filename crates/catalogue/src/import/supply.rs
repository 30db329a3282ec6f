//! Import of what a variant costs and of how much there is: prices and stock levels.

use std::collections::{BTreeMap, HashSet};

use atoll_inventory::{INVENTORY_ITEMS, InventoryItem, InventoryLevel, create_level, level_at, set_level};
use atoll_kernel::{Decimal, Fault, data::Entity};
use atoll_links::{PRODUCT_VARIANT_INVENTORY_ITEM, PRODUCT_VARIANT_PRICE_SET};
use atoll_pricing::{PRICE_SETS, Price, PriceSet};
use atoll_product::ProductVariant;
use atoll_region::CURRENCIES;

use super::{Import, Named};
use crate::{
    CatalogueStock, CatalogueVariant, ProblemKind,
    csv::Field,
    report::{Fate, Path},
};

impl Import<'_> {
    /// Amounts by currency. The first one of a currency counts.
    pub(super) fn prices(
        &mut self,
        path: &Path,
        input: &CatalogueVariant,
    ) -> Result<BTreeMap<String, Decimal>, Fault> {
        let mut prices = BTreeMap::new();
        for (n, price) in input.prices.iter().enumerate() {
            let path = path.step("prices", n, price.place);
            let code = match price.currency_code.to_lowercase() {
                code if code.is_empty() => self.so_far.shop.currency.clone(),
                code => code,
            };
            if !CURRENCIES.table.exists(self.tx, &code)? {
                self.problem(
                    &path,
                    ProblemKind::Price,
                    format!("currency `{}` does not exist; left out", price.currency_code),
                );
                continue;
            }
            match price.amount.parse::<Decimal>() {
                Ok(amount) if !amount.is_negative() && amount.is_short() => {
                    let there = prices.entry(code).or_insert(amount);
                    if *there != amount {
                        let code = &price.currency_code;
                        self.problem(
                            &path,
                            ProblemKind::Duplicate,
                            format!("a second price in {code}, {amount}; {there} counts"),
                        );
                    }
                }
                _ => self.problem(
                    &path,
                    ProblemKind::Price,
                    format!("`{}` is not a price; left out", price.amount),
                ),
            }
        }
        if prices.is_empty() && self.so_far.outline.source.tells(Field::Price) {
            self.problem(path, ProblemKind::Price, "no price; it cannot be put into a cart");
        }
        Ok(prices)
    }

    pub(super) fn reprice(
        &mut self,
        variant: &ProductVariant,
        prices: &BTreeMap<String, Decimal>,
    ) -> Result<(), Fault> {
        let Some(set) = PRODUCT_VARIANT_PRICE_SET.rights(self.tx, &variant.id)?.into_iter().next() else {
            return Ok(());
        };
        let at = self.at;
        let there = PRICE_SETS.get(self.tx, &set)?;
        self.keep(&PRICE_SETS, there, |set: &mut PriceSet| {
            for (code, amount) in prices {
                let plain = |it: &&mut Price| {
                    it.currency_code == *code && it.rules.is_empty() && it.min_quantity.is_none()
                };
                match set.prices.iter_mut().find(plain) {
                    Some(price) => price.amount = *amount,
                    None => {
                        let mut price =
                            Price { currency_code: code.clone(), amount: *amount, ..Price::default() };
                        price.init(at.id(), at.now());
                        set.prices.push(price);
                    }
                }
            }
        })?;
        Ok(())
    }

    pub(super) fn stock(
        &mut self,
        path: &Path,
        input: &CatalogueVariant,
        variant: &ProductVariant,
    ) -> Result<(), Fault> {
        let items = PRODUCT_VARIANT_INVENTORY_ITEM.rights(self.tx, &variant.id)?;
        let item = match &items[..] {
            [item] if input.parts.is_empty() => INVENTORY_ITEMS.retrieve(self.tx, item)?,
            _ if input.stock.is_empty() => return Ok(()),
            _ => {
                self.problem(path, ProblemKind::Stock, "it has no stock of its own; its stock was left out");
                return Ok(());
            }
        };
        self.stock_of(path, &input.stock, &item)
    }

    /// Sets the levels of an inventory item.
    pub(super) fn stock_of(
        &mut self,
        path: &Path,
        stocks: &[CatalogueStock],
        item: &InventoryItem,
    ) -> Result<(), Fault> {
        let mut levels = HashSet::new();
        for (n, stock) in stocks.iter().enumerate() {
            let path = path.step("stock", n, stock.place);
            let location = match &stock.location[..] {
                "" => self.default_location(&path),
                name => self.named(&path, Named::Location, name, "left out"),
            };
            let Some(location) = location else { continue };
            if !levels.insert(location.clone()) {
                let message = format!("a second stock in `{}`; left out", stock.location);
                self.problem(&path, ProblemKind::Duplicate, message);
                continue;
            }
            let stocked = stock.stocked_quantity;
            if stocked.is_negative() || !stocked.is_short() {
                self.problem(
                    &path,
                    ProblemKind::Stock,
                    format!("a stock of {}; left out", stock.stocked_quantity),
                );
                continue;
            }
            let fate = match level_at(self.tx, &item.id, &location)? {
                None => {
                    let level = InventoryLevel {
                        inventory_item_id: item.id.clone(),
                        location_id: location,
                        stocked_quantity: stocked,
                        ..InventoryLevel::default()
                    };
                    create_level(self.tx, self.at, level)?;
                    Fate::Created
                }
                Some(level) if level.stocked_quantity == stocked => Fate::Unchanged,
                Some(_) => match set_level(self.tx, self.at, &item.id, &location, Some(stocked), None) {
                    Ok(_) => Fate::Updated,
                    Err(error @ atoll_inventory::Error::BelowReserved { .. }) => {
                        self.problem(&path, ProblemKind::Stock, error.to_string());
                        Fate::Unchanged
                    }
                    Err(error) => return Err(error.into()),
                },
            };
            self.so_far.report.count("inventory_levels", fate);
        }
        Ok(())
    }

    /// The location of quantities that name none; that there is none is reported.
    fn default_location(&mut self, path: &Path) -> Option<String> {
        let location = self.so_far.shop.location.clone();
        if location.is_none() {
            let message = "the store has no default location, and none is named; left out";
            self.problem(path, ProblemKind::Reference, message);
        }
        location
    }
}
