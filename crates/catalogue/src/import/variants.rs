//! Import of the variants of a product: which of them are accepted, their options and kit parts.

use std::collections::{BTreeMap, HashMap, HashSet};

use atoll_flows::product::{InventoryPart, NewVariant, PriceInput, create_variant, item_of, take_parts};
use atoll_inventory::{BY_SKU as ITEM_BY_SKU, INVENTORY_ITEMS, InventoryItem, create_item};
use atoll_kernel::{Decimal, Fault, Id, data::RowError};
use atoll_links::{PRODUCT_VARIANT_INVENTORY_ITEM, required_quantity};
use atoll_product::{
    BY_SKU, OPTIONS, PRODUCTS, Product, ProductOptionValue, ProductVariant, VARIANTS, check_choice, choose,
    offer_value, values_of, variants_of,
};

use super::{Import, OPTION};
use crate::{
    CatalogueProduct, CatalogueVariant, ProblemKind,
    csv::Field,
    report::{Fate, Path},
};

/// A variant of the file that was accepted.
pub(super) struct Taken<'a> {
    path: Path,
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
        path: &Path,
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
            let path = path.step("variants", rank, input.rows.place);
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
            let by_sku = match sku_of(input) {
                Some(sku) => VARIANTS.table.get_by(self.tx, &BY_SKU, &[sku])?,
                None => None,
            };
            let by_id = VARIANTS.get(self.tx, &input.rows.id)?.filter(|it| it.deleted_at.is_none());
            let there = by_sku.or(by_id.filter(|it| product.is_some_and(|own| it.product_id == own.id)));
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
            if sku_of(it.input).is_none() && it.there.is_none() {
                let title = &it.input.title;
                self.problem(
                    &it.path,
                    ProblemKind::Sku,
                    format!("no SKU; the variant is known by its title `{title}`"),
                );
                let is_it = |sibling: &&ProductVariant| sibling.title == *title;
                it.there = siblings.iter().find(is_it).cloned();
                if it.there.is_none() && !it.input.rows.options.is_empty() {
                    it.there = self.by_options(it.input, product, &siblings)?;
                }
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

    /// The one of these variants that has the option values of a row.
    fn by_options(
        &self,
        input: &CatalogueVariant,
        product: Option<&Product>,
        siblings: &[ProductVariant],
    ) -> Result<Option<ProductVariant>, Fault> {
        let Some(product) = product else { return Ok(None) };
        let Ok(chosen) = choose(self.tx, product, &input.title, &choice(input)) else { return Ok(None) };
        Ok(siblings.iter().find(|it| it.option_value_ids == chosen).cloned())
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
        let keeps_title = !self.so_far.outline.source.tells(Field::VariantTitle);
        let is_named = |it: &Taken<'_>| {
            it.there.as_ref().is_none_or(|there| {
                (keeps_title || there.title == it.input.title) && offered.fits(there, it.input)
            })
        };
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
        let keeps_title = !self.so_far.outline.source.tells(Field::VariantTitle);
        let title = if keeps_title { &there.title } else { title };
        self.offer(product, it.input)?;
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

    /// Adds the option values of a variant to the options of its product, where it has them.
    fn offer(&mut self, product: &Product, input: &CatalogueVariant) -> Result<(), Fault> {
        for (title, value) in option_values(input) {
            offer_value(self.tx, self.at, product, &title, &value)?;
        }
        Ok(())
    }

    /// The options of a product, with their values.
    fn offered(&self, product: &Product) -> Result<Offered, Fault> {
        let mut options = Vec::with_capacity(product.option_ids.len());
        for option in &product.option_ids {
            let values = values_of(self.tx, option)?.into_iter().map(|it| (it.value, it.id)).collect();
            options.push((OPTIONS.retrieve(self.tx, option)?.title, values));
        }
        Ok(Offered(options))
    }

    /// Updates the other fields of an existing variant.
    fn change(
        &mut self,
        it: &Taken<'_>,
        there: &ProductVariant,
        prices: &BTreeMap<String, Decimal>,
    ) -> Result<ProductVariant, Fault> {
        let source = self.so_far.outline.source.clone();
        let counts = source.tells(Field::Managed) || source.tells(Field::Tracker);
        let oversells = source.tells(Field::Backorder) || source.tells(Field::Policy);
        let variant = VARIANTS.update(self.tx, self.at, &there.id, |variant: &mut ProductVariant| {
            counts.then(|| variant.manage_inventory = it.input.manage_inventory);
            oversells.then(|| variant.allow_backorder = it.input.allow_backorder);
            if let Some(sku) = sku_of(it.input) {
                variant.sku = Some(sku.to_owned());
            }
        })?;
        let variant = self.detailed(it, variant)?;
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

    /// Sets the further fields of a variant. A code that another variant has is reported, and none is set.
    fn detailed(&mut self, it: &Taken<'_>, variant: ProductVariant) -> Result<ProductVariant, Fault> {
        let details = &it.input.rows.details;
        if details.is_empty() {
            return Ok(variant);
        }
        let set = |variant: &mut ProductVariant| {
            details.iter().for_each(|(detail, text)| detail.set_of_variant(variant, text));
        };
        match VARIANTS.update(self.tx, self.at, &variant.id, set) {
            Ok(variant) => Ok(variant),
            Err(error @ RowError::Duplicate { .. }) => {
                let message = format!("{error} Its further fields stay as they are");
                self.problem(&it.path, ProblemKind::Duplicate, message);
                Ok(variant)
            }
            Err(error) => Err(error.into()),
        }
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
        self.offer(product, it.input)?;
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
        let variant = self.detailed(it, variant)?;
        self.so_far.report.count("product_variants", Fate::Created);
        Ok(Some(variant))
    }
}

/// The options of a product by title, each with its values.
struct Offered(Vec<(String, HashMap<String, Id<ProductOptionValue>>)>);

impl Offered {
    /// True if the variant has these option values already, or if the product has other options.
    fn fits(&self, variant: &ProductVariant, input: &CatalogueVariant) -> bool {
        let choice = choice(input);
        if self.0.len() != choice.len() || self.0.iter().any(|(title, _)| !choice.contains_key(title)) {
            return true;
        }
        let chosen = self.0.iter().map(|(title, values)| values.get(&choice[title]));
        chosen.eq(variant.option_value_ids.iter().map(Some))
    }
}

/// The option values of a variant, by the titles of the options, in their order. Without any its title is the
/// value of the option of imported products.
pub(super) fn option_values(input: &CatalogueVariant) -> Vec<(String, String)> {
    match &input.rows.options[..] {
        [] => vec![(OPTION.to_owned(), input.title.clone())],
        options => options.to_vec(),
    }
}

fn choice(input: &CatalogueVariant) -> BTreeMap<String, String> {
    option_values(input).into_iter().collect()
}
