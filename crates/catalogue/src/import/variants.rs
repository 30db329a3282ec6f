//! Import of the variants of a product: which of them are accepted, their options, prices, kit parts and
//! stock levels.

use std::collections::{BTreeMap, HashMap, HashSet};

use atoll_flows::product::{InventoryPart, NewVariant, PriceInput, create_variant, item_of, take_parts};
use atoll_inventory::{
    BY_SKU as ITEM_BY_SKU, INVENTORY_ITEMS, InventoryItem, InventoryLevel, create_item, create_level,
    level_at, set_level,
};
use atoll_kernel::{Decimal, Fault, Id, data::Entity};
use atoll_links::{PRODUCT_VARIANT_INVENTORY_ITEM, PRODUCT_VARIANT_PRICE_SET, required_quantity};
use atoll_pricing::{PRICE_SETS, Price, PriceSet};
use atoll_product::{
    BY_SKU, OPTIONS, PRODUCTS, Product, ProductOptionValue, ProductVariant, VARIANTS, check_choice, choose,
    offer_value, values_of, variants_of,
};
use atoll_region::CURRENCIES;

use super::{Import, OPTION};
use crate::{CatalogueProduct, CatalogueVariant, ProblemKind, report::Fate};

/// A variant of the file that was accepted.
pub(super) struct Taken<'a> {
    path: String,
    rank: usize,
    pub(super) input: &'a CatalogueVariant,
    /// The existing variant.
    there: Option<ProductVariant>,
}

/// Quantities of inventory items that one unit of a variant takes, by item id.
type Takes = BTreeMap<String, Decimal>;

/// Quantities that the variants of a product will take once they are created, by SKU; `None` for one that
/// will be managed and has no item. An item that does not exist yet is named by the SKU of its variant.
type Planned = HashMap<String, Option<Takes>>;

/// The SKU of a variant; an empty one counts as none.
pub(crate) fn sku_of(input: &CatalogueVariant) -> Option<&str> {
    input.sku.as_deref().filter(|it| !it.trim().is_empty())
}

impl Import<'_> {
    /// The variants of a product that are accepted, each with the existing one. Problems with the others are
    /// reported.
    pub(super) fn variants_of<'a>(
        &mut self,
        path: &str,
        input: &'a CatalogueProduct,
        product: Option<&Product>,
    ) -> Result<Vec<Taken<'a>>, Fault> {
        let mut siblings = match product {
            Some(product) => variants_of(self.tx, &product.id)?,
            None => Vec::new(),
        };
        let mut taken: Vec<Taken<'a>> = Vec::with_capacity(input.variants.len());
        for (rank, variant) in input.variants.iter().enumerate() {
            let (before, input) = (&input.variants[..rank], variant);
            let path = format!("{path} › variants[{rank}]");
            let problem = if input.title.trim().is_empty() {
                Some((ProblemKind::Incomplete, "a variant needs a title; it was left out".to_owned()))
            } else if before.iter().any(|it| it.title == input.title) {
                Some((ProblemKind::Duplicate, format!("a second variant `{}`; it was left out", input.title)))
            } else {
                let twice = sku_of(input).filter(|sku| before.iter().any(|it| sku_of(it) == Some(sku)));
                let message = |sku| format!("a second variant with SKU `{sku}`; it was left out");
                twice.map(|sku| (ProblemKind::Duplicate, message(sku)))
            };
            if let Some((kind, problem)) = problem {
                self.problem(&path, kind, problem);
                continue;
            }
            let there = match sku_of(input) {
                Some(sku) => VARIANTS.table.get_by(self.tx, &BY_SKU, &[sku])?,
                None => None,
            };
            if let Some(other) = there.as_ref().filter(|it| product.is_none_or(|own| it.product_id != own.id))
            {
                let sku = sku_of(input).unwrap_or_default();
                let owner = PRODUCTS.get(self.tx, &other.product_id)?.map(|it| it.handle).unwrap_or_default();
                self.problem(
                    &path,
                    ProblemKind::Sku,
                    format!("SKU `{sku}` belongs to product `{owner}`; left out"),
                );
                continue;
            }
            taken.push(Taken { path, rank, input, there });
        }
        // A variant with a SKU is not matched by title.
        let has_sku: HashSet<String> =
            taken.iter().filter_map(|it| it.there.as_ref()).map(|it| it.id.to_string()).collect();
        siblings.retain(|it| !has_sku.contains(&*it.id));
        let (mut left, mut planned) = (Vec::with_capacity(taken.len()), Planned::new());
        for mut it in taken {
            if sku_of(it.input).is_none() {
                let title = &it.input.title;
                self.problem(
                    &it.path,
                    ProblemKind::Sku,
                    format!("no SKU; the variant is known by its title `{title}`"),
                );
                it.there = siblings.iter().find(|sibling| sibling.title == *title).cloned();
            }
            let takes = match &it.there {
                Some(there) => self.will_take(&it, there, &planned)?,
                None => match self.takes(&it, &planned)? {
                    Ok(takes) => Some(self.or_own_takes(&it, takes)?),
                    // A kit with a missing part is left out: it would be sold without that part.
                    Err(problems) => {
                        self.cannot_take(&it, problems);
                        continue;
                    }
                },
            };
            if let Some(sku) = sku_of(it.input) {
                if self.so_far.outline.is_part(sku) {
                    self.so_far.taken.insert(sku.to_owned());
                }
                planned.insert(sku.to_owned(), takes);
            }
            left.push(it);
        }
        Ok(left)
    }

    /// Quantities that an existing variant takes after the import, for the kits of its product.
    fn will_take(
        &self,
        it: &Taken<'_>,
        there: &ProductVariant,
        planned: &Planned,
    ) -> Result<Option<Takes>, Fault> {
        let takes = self.takes_of(there)?;
        if !it.input.manage_inventory {
            return Ok(Some(Takes::new()));
        }
        if !takes.is_empty() {
            return Ok(Some(takes));
        }
        match self.takes(it, planned)? {
            Ok(takes) => Ok(Some(self.or_own_takes(it, takes)?)),
            Err(_) => Ok(None),
        }
    }

    /// Quantities that a new variant takes: one of an item of its own, if it is managed and no kit.
    fn or_own_takes(&self, it: &Taken<'_>, takes: Takes) -> Result<Takes, Fault> {
        if !it.input.manage_inventory {
            return Ok(Takes::new());
        }
        let Some(sku) = sku_of(it.input).filter(|_| takes.is_empty()) else { return Ok(takes) };
        let own = INVENTORY_ITEMS.table.get_by(self.tx, &ITEM_BY_SKU, &[sku])?;
        let own = own.map_or_else(|| sku.to_owned(), |it| it.id.to_string());
        Ok(Takes::from([(own, Decimal::ONE)]))
    }

    /// Quantities that a variant takes of the items that it is linked to.
    fn takes_of(&self, variant: &ProductVariant) -> Result<Takes, Fault> {
        let rows = PRODUCT_VARIANT_INVENTORY_ITEM.rows_of(self.tx, &variant.id)?;
        Ok(rows.into_iter().map(|(item, row)| (item, required_quantity(&row))).collect())
    }

    /// Creates and updates the variants of a product.
    pub(super) fn variants(&mut self, product: &Product, variants: Vec<Taken<'_>>) -> Result<(), Fault> {
        let mut siblings = variants_of(self.tx, &product.id)?;
        let offered = self.offered(product)?;
        let is_named =
            |it: &Taken<'_>| it.there.as_ref().is_none_or(|there| offered.fits(there, &it.input.title));
        // A title becomes free when its variant is renamed, so the variants that wait for one are tried
        // again.
        let mut waiting: Vec<&Taken<'_>> = variants.iter().filter(|it| !is_named(it)).collect();
        loop {
            let n_before = waiting.len();
            let mut still = Vec::new();
            for it in waiting {
                if !self.rename(product, it, &mut siblings)? {
                    still.push(it);
                }
            }
            waiting = still;
            if waiting.len() == n_before {
                break;
            }
        }
        for it in waiting {
            let title = &it.input.title;
            self.problem(
                &it.path,
                ProblemKind::Title,
                format!("another variant is called `{title}`; the title stays"),
            );
        }
        for it in &variants {
            let prices = self.prices(&it.path, it.input)?;
            let variant = match &it.there {
                Some(there) => self.change(it, there, &prices)?,
                None => match self.new_variant(product, it, prices)? {
                    Some(variant) => variant,
                    None => continue,
                },
            };
            self.stock(&it.path, it.input, &variant)?;
        }
        Ok(())
    }

    /// Renames a variant, and sets the option value that goes with the title, unless another variant has
    /// them.
    fn rename(
        &mut self,
        product: &Product,
        it: &Taken<'_>,
        siblings: &mut [ProductVariant],
    ) -> Result<bool, Fault> {
        let (Some(there), title) = (&it.there, &it.input.title) else { return Ok(true) };
        offer_value(self.tx, self.at, product, OPTION, title)?;
        let chosen = choose(self.tx, product, title, &choice(it.input)).unwrap_or_default();
        let is_like = |other: &ProductVariant| {
            other.title == *title || (!chosen.is_empty() && other.option_value_ids == chosen)
        };
        if siblings.iter().any(|other| other.id != there.id && is_like(other)) {
            return Ok(false);
        }
        let renamed = VARIANTS.update(self.tx, self.at, &there.id, |it: &mut ProductVariant| {
            it.title = title.clone();
            if !chosen.is_empty() {
                it.option_value_ids = chosen;
            }
        })?;
        if let Some(sibling) = siblings.iter_mut().find(|it| it.id == renamed.id) {
            *sibling = renamed;
        }
        Ok(true)
    }

    /// Values of the option of imported products, if the product has that option and no other.
    fn offered(&self, product: &Product) -> Result<Offered, Fault> {
        let [option] = &product.option_ids[..] else { return Ok(Offered(None)) };
        if OPTIONS.retrieve(self.tx, option)?.title != OPTION {
            return Ok(Offered(None));
        }
        let values = values_of(self.tx, option)?.into_iter().map(|it| (it.value, it.id)).collect();
        Ok(Offered(Some(values)))
    }

    /// Updates the other fields of an existing variant.
    fn change(
        &mut self,
        it: &Taken<'_>,
        there: &ProductVariant,
        prices: &BTreeMap<String, Decimal>,
    ) -> Result<ProductVariant, Fault> {
        let variant = VARIANTS.update(self.tx, self.at, &there.id, |variant: &mut ProductVariant| {
            variant.manage_inventory = it.input.manage_inventory;
            variant.allow_backorder = it.input.allow_backorder;
        })?;
        let fate = if variant == *there { Fate::Unchanged } else { Fate::Updated };
        self.so_far.report.count("product_variants", fate);
        if variant.manage_inventory && PRODUCT_VARIANT_INVENTORY_ITEM.rights(self.tx, &variant.id)?.is_empty()
        {
            // Its inventory was not managed before.
            if let Some(parts) = self.parts(it)? {
                let parts = self.or_own_item(&variant, parts)?;
                take_parts(self.tx, self.at, &variant, parts)?;
            }
        }
        self.reprice(&variant, prices)?;
        Ok(variant)
    }

    /// Sum of the quantities that a kit takes of each item; a part that is a kit itself is expanded. Or the
    /// parts that cannot be taken: a part must come before the kit in the file, or exist in the shop, and
    /// have an inventory item.
    fn takes(&self, kit: &Taken<'_>, planned: &Planned) -> Result<Result<Takes, Vec<String>>, Fault> {
        let (mut takes, mut problems) = (Takes::new(), Vec::new());
        for part in &kit.input.parts {
            let is_sound = part.quantity > Decimal::ZERO && part.quantity.is_short();
            match self.takes_of_part(&part.sku, planned)?.filter(|_| is_sound) {
                Some(of_part) => {
                    for (item, quantity) in of_part {
                        *takes.entry(item).or_default() += quantity * part.quantity;
                    }
                }
                None => problems.push(format!("part `{}` × {} cannot be taken", part.sku, part.quantity)),
            }
        }
        if let Some(quantity) = takes.values().find(|it| !it.is_short()) {
            problems.push(format!("takes {quantity} of an item: too many digits"));
        }
        Ok(if problems.is_empty() { Ok(takes) } else { Err(problems) })
    }

    /// Quantities that one unit of a part takes; `None` if it cannot be taken.
    fn takes_of_part(&self, sku: &str, planned: &Planned) -> Result<Option<Takes>, Fault> {
        if let Some(takes) = planned.get(sku) {
            return Ok(takes.clone());
        }
        if self.so_far.outline.has_part(sku) && !self.so_far.taken.contains(sku) {
            return Ok(None);
        }
        let Some(part) = VARIANTS.table.get_by(self.tx, &BY_SKU, &[sku])? else { return Ok(None) };
        if !part.manage_inventory {
            return Ok(Some(Takes::new()));
        }
        Ok(Some(self.takes_of(&part)?).filter(|it| !it.is_empty()))
    }

    /// The parts of a kit, to be linked; parts that cannot be taken are reported.
    fn parts(&mut self, kit: &Taken<'_>) -> Result<Option<Vec<InventoryPart>>, Fault> {
        let takes = match self.takes(kit, &Planned::new())? {
            Ok(takes) => takes,
            Err(problems) => {
                self.cannot_take(kit, problems);
                return Ok(None);
            }
        };
        let part =
            |(inventory_item_id, required_quantity)| InventoryPart { inventory_item_id, required_quantity };
        Ok(Some(takes.into_iter().map(part).collect()))
    }

    fn cannot_take(&mut self, kit: &Taken<'_>, problems: Vec<String>) {
        for problem in problems {
            self.problem(&kit.path, ProblemKind::Kit, format!("{problem}; the kit was left out"));
        }
    }

    /// The item of a managed variant that is no kit: the one with its SKU, or a new one.
    fn or_own_item(
        &mut self,
        variant: &ProductVariant,
        mut parts: Vec<InventoryPart>,
    ) -> Result<Vec<InventoryPart>, Fault> {
        if parts.is_empty() && variant.manage_inventory {
            let there = match &variant.sku {
                Some(sku) => INVENTORY_ITEMS.table.get_by(self.tx, &ITEM_BY_SKU, &[sku])?,
                None => None,
            };
            let item: InventoryItem = match there {
                Some(item) => item,
                None => create_item(self.tx, self.at, item_of(variant))?,
            };
            parts.push(InventoryPart::one_of(&item));
        }
        Ok(parts)
    }

    fn new_variant(
        &mut self,
        product: &Product,
        it: &Taken<'_>,
        prices: BTreeMap<String, Decimal>,
    ) -> Result<Option<ProductVariant>, Fault> {
        let Some(parts) = self.parts(it)? else { return Ok(None) };
        offer_value(self.tx, self.at, product, OPTION, &it.input.title)?;
        match check_choice(self.tx, product, &it.input.title, &choice(it.input)) {
            Ok(()) => {}
            Err(atoll_product::Error::Row(error)) => return Err(error.into()),
            Err(error) => {
                self.problem(&it.path, ProblemKind::Title, format!("{error} It was left out"));
                return Ok(None);
            }
        }
        let variant = ProductVariant {
            title: it.input.title.clone(),
            sku: sku_of(it.input).map(str::to_owned),
            manage_inventory: it.input.manage_inventory,
            allow_backorder: it.input.allow_backorder,
            variant_rank: it.rank as u32,
            ..ProductVariant::default()
        };
        let inventory_items = self.or_own_item(&variant, parts)?;
        let price = |(currency_code, amount)| PriceInput { currency_code, amount, ..PriceInput::default() };
        let prices = prices.into_iter().map(price).collect();
        let new = NewVariant { variant, options: choice(it.input), prices, inventory_items };
        let variant = create_variant(self.tx, self.at, product, new)?;
        self.so_far.report.count("product_variants", Fate::Created);
        Ok(Some(variant))
    }

    /// Amounts by currency. The first one of a currency counts.
    fn prices(&mut self, path: &str, input: &CatalogueVariant) -> Result<BTreeMap<String, Decimal>, Fault> {
        let mut prices = BTreeMap::new();
        for (n, price) in input.prices.iter().enumerate() {
            let path = format!("{path} › prices[{n}]");
            let code = price.currency_code.to_lowercase();
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
        if prices.is_empty() {
            self.problem(path, ProblemKind::Price, "no price; it cannot be put into a cart");
        }
        Ok(prices)
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
                        price.init(at.id(), at.now());
                        set.prices.push(price);
                    }
                }
            }
        })?;
        Ok(())
    }

    fn stock(&mut self, path: &str, input: &CatalogueVariant, variant: &ProductVariant) -> Result<(), Fault> {
        let items = PRODUCT_VARIANT_INVENTORY_ITEM.rights(self.tx, &variant.id)?;
        let item = match &items[..] {
            [item] if input.parts.is_empty() => INVENTORY_ITEMS.retrieve(self.tx, item)?,
            _ if input.stock.is_empty() => return Ok(()),
            _ => {
                self.problem(path, ProblemKind::Stock, "it has no stock of its own; its stock was left out");
                return Ok(());
            }
        };
        for (n, stock) in input.stock.iter().enumerate() {
            let path = format!("{path} › stock[{n}]");
            if input.stock[..n].iter().any(|it| it.location == stock.location) {
                self.problem(
                    &path,
                    ProblemKind::Duplicate,
                    format!("a second stock in `{}`; left out", stock.location),
                );
                continue;
            }
            let Some(location) = self.so_far.locations.get(&stock.location).cloned() else {
                self.problem(
                    &path,
                    ProblemKind::Reference,
                    format!("location `{}` is not in the file; left out", stock.location),
                );
                continue;
            };
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
}

/// Values of the option of imported products, by title; `None` if a product has other options.
struct Offered(Option<HashMap<String, Id<ProductOptionValue>>>);

impl Offered {
    /// True if the variant has this title already, and the option value that goes with it.
    fn fits(&self, variant: &ProductVariant, title: &str) -> bool {
        let Some(values) = &self.0 else { return variant.title == *title };
        variant.title == *title
            && values.get(title).is_some_and(|value| variant.option_value_ids[..] == [value.clone()])
    }
}

/// The option value of a variant, under the option of imported products.
fn choice(input: &CatalogueVariant) -> BTreeMap<String, String> {
    BTreeMap::from([(OPTION.to_owned(), input.title.clone())])
}
