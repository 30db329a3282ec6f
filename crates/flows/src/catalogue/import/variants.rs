//! The variants of an imported product: what they choose, cost, are made of, and what lies of them where.

use std::collections::BTreeMap;

use atoll_inventory::{INVENTORY_ITEMS, InventoryLevel, create_level, level_at, set_level};
use atoll_kernel::{Decimal, Entity, Fault};
use atoll_links::{PRODUCT_VARIANT_INVENTORY_ITEM, PRODUCT_VARIANT_PRICE_SET};
use atoll_pricing::{PRICE_SETS, Price, PriceSet};
use atoll_product::{BY_SKU, Product, ProductVariant, VARIANTS, check_choice, choose, offer_value};

use super::{Import, OPTION};
use crate::{
    catalogue::{CatalogueVariant, report::Fate},
    product::{InventoryPart, NewVariant, PriceInput, create_variant},
};

impl Import<'_> {
    pub(super) fn variant(
        &mut self,
        place: &str,
        rank: usize,
        input: &CatalogueVariant,
        product: &Product,
        siblings: &[ProductVariant],
    ) -> Result<(), Fault> {
        if input.sku.is_none() {
            self.report
                .problem(place, format!("no SKU; the variant is known by its title `{}`", input.title));
        }
        let there = match &input.sku {
            Some(sku) => VARIANTS.table.get_by(self.tx, &BY_SKU, &[sku])?,
            None => siblings.iter().find(|it| it.title == input.title).cloned(),
        };
        if let Some(other) = there.as_ref().filter(|it| it.product_id != product.id) {
            let sku = input.sku.as_deref().unwrap_or_default();
            self.report
                .problem(place, format!("SKU `{sku}` belongs to product {}; left out", other.product_id));
            return Ok(());
        }
        let prices = self.prices(place, input);
        let variant = match there {
            None => {
                offer_value(self.tx, self.at, product, OPTION, &input.title)?;
                match check_choice(self.tx, product, &input.title, &choice(input)) {
                    Ok(()) => self.new_variant(place, rank, input, product, prices)?,
                    Err(atoll_product::Error::Row(error)) => return Err(error.into()),
                    Err(error) => {
                        self.report.problem(place, format!("{error} It was left out"));
                        return Ok(());
                    }
                }
            }
            Some(there) => {
                offer_value(self.tx, self.at, product, OPTION, &input.title)?;
                let chosen = choose(self.tx, product, &input.title, &choice(input)).ok();
                let variant = self.keep(&VARIANTS, Some(there), |it: &mut ProductVariant| {
                    it.title = input.title.clone();
                    it.manage_inventory = input.manage_inventory;
                    it.allow_backorder = input.allow_backorder;
                    it.option_value_ids = chosen.unwrap_or(std::mem::take(&mut it.option_value_ids));
                })?;
                self.reprice(&variant, &prices)?;
                variant
            }
        };
        self.stock(place, input, &variant)
    }

    /// What a kit takes of each item; two parts of one item are taken together.
    fn parts(&mut self, place: &str, input: &CatalogueVariant) -> Result<Vec<InventoryPart>, Fault> {
        let mut items: BTreeMap<String, Decimal> = BTreeMap::new();
        for part in &input.parts {
            let other = VARIANTS.table.get_by(self.tx, &BY_SKU, &[&part.sku])?;
            let taken = match &other {
                Some(other) if part.quantity > 0 && Decimal::from(part.quantity).is_short() => {
                    PRODUCT_VARIANT_INVENTORY_ITEM.rights(self.tx, &other.id)?
                }
                _ => Vec::new(),
            };
            if taken.is_empty() {
                let (sku, quantity) = (&part.sku, part.quantity);
                self.report.problem(place, format!("part `{sku}` × {quantity} cannot be taken; left out"));
            }
            for item in taken {
                *items.entry(item).or_default() += Decimal::from(part.quantity);
            }
        }
        let part =
            |(inventory_item_id, required_quantity)| InventoryPart { inventory_item_id, required_quantity };
        Ok(items.into_iter().map(part).collect())
    }

    fn new_variant(
        &mut self,
        place: &str,
        rank: usize,
        input: &CatalogueVariant,
        product: &Product,
        prices: BTreeMap<String, Decimal>,
    ) -> Result<ProductVariant, Fault> {
        let inventory_items = self.parts(place, input)?;
        let variant = ProductVariant {
            title: input.title.clone(),
            sku: input.sku.clone(),
            manage_inventory: input.manage_inventory,
            allow_backorder: input.allow_backorder,
            variant_rank: rank as u32,
            ..ProductVariant::default()
        };
        let price = |(currency_code, amount)| PriceInput { currency_code, amount, ..PriceInput::default() };
        let prices = prices.into_iter().map(price).collect();
        let new = NewVariant { variant, options: choice(input), prices, inventory_items };
        let variant = create_variant(self.tx, self.at, product, new)?;
        self.report.count("product_variants", Fate::Created);
        Ok(variant)
    }

    /// The amounts by currency. The first of a currency counts.
    fn prices(&mut self, place: &str, input: &CatalogueVariant) -> BTreeMap<String, Decimal> {
        let mut prices = BTreeMap::new();
        for (n, price) in input.prices.iter().enumerate() {
            let place = format!("{place} › prices[{n}]");
            match price.amount.parse::<Decimal>() {
                Ok(amount) if !amount.is_negative() && amount.is_short() => {
                    let there = prices.entry(price.currency_code.to_lowercase()).or_insert(amount);
                    if *there != amount {
                        let code = &price.currency_code;
                        self.report
                            .problem(&place, format!("a second price in {code}, {amount}; {there} counts"));
                    }
                }
                _ => self.report.problem(&place, format!("`{}` is not a price; left out", price.amount)),
            }
        }
        if prices.is_empty() {
            self.report.problem(place, "no price; it cannot be put into a cart");
        }
        prices
    }

    fn reprice(&mut self, variant: &ProductVariant, prices: &BTreeMap<String, Decimal>) -> Result<(), Fault> {
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
                        price.born(at.id(), at.now());
                        set.prices.push(price);
                    }
                }
            }
        })?;
        Ok(())
    }

    fn stock(
        &mut self,
        place: &str,
        input: &CatalogueVariant,
        variant: &ProductVariant,
    ) -> Result<(), Fault> {
        let items = PRODUCT_VARIANT_INVENTORY_ITEM.rights(self.tx, &variant.id)?;
        let item = match &items[..] {
            [item] if input.parts.is_empty() => INVENTORY_ITEMS.retrieve(self.tx, item)?,
            _ => return Ok(()),
        };
        for (n, stock) in input.stock.iter().enumerate() {
            let place = format!("{place} › stock[{n}]");
            let Some(location) = self.locations.get(&stock.location).cloned() else {
                self.report
                    .problem(&place, format!("location `{}` is not in the file; left out", stock.location));
                continue;
            };
            let stocked = Decimal::from(stock.stocked_quantity);
            if stocked.is_negative() || !stocked.is_short() {
                self.report.problem(&place, format!("a stock of {}; left out", stock.stocked_quantity));
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
                        self.report.problem(&place, error.to_string());
                        Fate::Unchanged
                    }
                    Err(error) => return Err(error.into()),
                },
            };
            self.report.count("inventory_levels", fate);
        }
        Ok(())
    }
}

/// What a variant answers to the option of imported products.
fn choice(input: &CatalogueVariant) -> BTreeMap<String, String> {
    BTreeMap::from([(OPTION.to_owned(), input.title.clone())])
}
