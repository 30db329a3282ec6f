//! Import of the variants of a product: which of them are accepted, their options and kit parts.

use std::collections::{BTreeMap, HashMap, HashSet};

use atoll_flows::product::{InventoryPart, NewVariant, PriceInput, create_variant, item_of, take_parts};
use atoll_inventory::{BY_SKU as ITEM_BY_SKU, INVENTORY_ITEMS, InventoryItem, create_item};
use atoll_kernel::{Decimal, Fault, Id, Read, data::RowError};
use atoll_links::{PRODUCT_VARIANT_INVENTORY_ITEM, required_quantity};
use atoll_product::{
    BY_SKU, Choices, Error, OPTIONS, PRODUCTS, Product, ProductVariant, VARIANTS, values_of, variants_of,
};

use super::{Import, OPTION};
use crate::{
    CatalogueProduct, CatalogueVariant, ProblemKind,
    csv::Field,
    report::{Fate, Path},
};

/// A variant of the file that was accepted.
pub(super) struct Taken<'a> {
    pub(super) path: Path,
    rank: usize,
    pub(super) input: &'a CatalogueVariant,
    /// The existing variant.
    pub(super) there: Option<ProductVariant>,
}

impl Taken<'_> {
    /// Is it known neither by a SKU nor by an id?
    fn is_unnamed(&self) -> bool {
        sku_of(self.input).is_none() && self.there.is_none()
    }
}

/// The variants of a product that no row names by SKU or id, by what else tells them apart.
#[derive(Default)]
struct Unnamed {
    by_title: HashMap<String, ProductVariant>,
    by_choice: HashMap<BTreeMap<String, String>, ProductVariant>,
}

impl Unnamed {
    fn of(tx: &dyn Read, product: &Product, named: &HashSet<Id<ProductVariant>>) -> Result<Unnamed, Fault> {
        let mut values = HashMap::new();
        for option in &product.option_ids {
            let title = OPTIONS.retrieve(tx, option)?.title;
            values.extend(values_of(tx, option)?.into_iter().map(|it| (it.id, (title.clone(), it.value))));
        }
        let mut unnamed = Unnamed::default();
        for it in variants_of(tx, &product.id)?.into_iter().filter(|it| !named.contains(&it.id)) {
            let choice = it.option_value_ids.iter().filter_map(|id| values.get(id).cloned()).collect();
            unnamed.by_choice.entry(choice).or_insert_with(|| it.clone());
            unnamed.by_title.entry(it.title.clone()).or_insert(it);
        }
        Ok(unnamed)
    }

    fn find(&self, input: &CatalogueVariant) -> Option<&ProductVariant> {
        let by_choice = || self.by_choice.get(&choice(input)).filter(|_| !input.rows.options.is_empty());
        self.by_title.get(&input.title).or_else(by_choice)
    }
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
        let mut taken: Vec<Taken<'a>> = Vec::with_capacity(input.variants.len());
        let (mut titles, mut skus) = (HashSet::new(), HashSet::new());
        for (rank, input) in input.variants.iter().enumerate() {
            let path = path.step("variants", rank, input.rows.place);
            let has_new_title = titles.insert(input.title.as_str());
            let has_new_sku = sku_of(input).is_none_or(|sku| skus.insert(sku));
            let (kind, problem) = match (&input.title, sku_of(input).unwrap_or_default()) {
                (title, _) if title.trim().is_empty() => {
                    (ProblemKind::Incomplete, "a variant needs a title".to_owned())
                }
                (title, _) if !has_new_title => {
                    (ProblemKind::Duplicate, format!("a second variant `{title}`"))
                }
                (_, sku) if !has_new_sku => {
                    (ProblemKind::Duplicate, format!("a second variant with SKU `{sku}`"))
                }
                _ => {
                    taken.extend(self.taken(path, rank, input, product)?);
                    continue;
                }
            };
            self.problem(&path, kind, format!("{problem}; it was left out"));
        }
        self.accepted(taken, product)
    }

    /// A variant with the existing one, by its SKU or id. None, which is reported: that is another product's.
    fn taken<'a>(
        &mut self,
        path: Path,
        rank: usize,
        input: &'a CatalogueVariant,
        product: Option<&Product>,
    ) -> Result<Option<Taken<'a>>, Fault> {
        let by_sku = match sku_of(input) {
            Some(sku) => VARIANTS.table.get_by(self.tx, &BY_SKU, &[sku])?,
            None => None,
        };
        let by_id = VARIANTS.get(self.tx, &input.rows.id)?.filter(|it| it.deleted_at.is_none());
        let there = by_sku.or(by_id.filter(|it| product.is_some_and(|own| it.product_id == own.id)));
        if let Some(other) = there.as_ref().filter(|it| product.is_none_or(|own| it.product_id != own.id)) {
            let sku = sku_of(input).unwrap_or_default();
            let owner = PRODUCTS.get(self.tx, &other.product_id)?.map(|it| it.handle).unwrap_or_default();
            self.problem(
                &path,
                ProblemKind::Sku,
                format!("SKU `{sku}` belongs to product `{owner}`; left out"),
            );
            return Ok(None);
        }
        Ok(Some(Taken { path, rank, input, there }))
    }

    /// The variants that are accepted of these: those without a SKU are found by their titles or option
    /// values, and kits whose parts cannot be taken are reported.
    fn accepted<'a>(
        &mut self,
        taken: Vec<Taken<'a>>,
        product: Option<&Product>,
    ) -> Result<Vec<Taken<'a>>, Fault> {
        let mut unnamed = Unnamed::default();
        if let Some(product) = product.filter(|_| taken.iter().any(Taken::is_unnamed)) {
            let named = taken.iter().filter_map(|it| it.there.as_ref()).map(|it| it.id.clone()).collect();
            unnamed = Unnamed::of(self.tx, product, &named)?;
        }
        let (mut left, mut planned) = (Vec::with_capacity(taken.len()), Planned::new());
        for mut it in taken {
            if it.is_unnamed() {
                let title = &it.input.title;
                self.problem(
                    &it.path,
                    ProblemKind::Sku,
                    format!("no SKU; the variant is known by its title `{title}`"),
                );
                it.there = unnamed.find(it.input).cloned();
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
        let mut choices = Choices::of(self.tx, product)?;
        if self.rename(product, &variants, &mut choices)? {
            choices = Choices::of(self.tx, product)?;
        }
        for it in &variants {
            let prices = self.prices(&it.path, it.input)?;
            let variant = match &it.there {
                Some(there) => self.change(it, there, &prices)?,
                None => match self.new_variant(&mut choices, it, prices)? {
                    Some(variant) => variant,
                    None => continue,
                },
            };
            self.stock(&it.path, it.input, &variant)?;
        }
        Ok(())
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
        choices: &mut Choices<'_>,
        it: &Taken<'_>,
        prices: BTreeMap<String, Decimal>,
    ) -> Result<Option<ProductVariant>, Fault> {
        let Some(parts) = self.parts(it)? else { return Ok(None) };
        let chosen = choice(it.input);
        let room = choices.check(&it.input.title, &chosen);
        match room.and_then(|()| choices.offer(self.tx, self.at, &chosen)) {
            Ok(()) => {}
            Err(Error::Row(error)) => return Err(error.into()),
            Err(error @ (Error::TooManyVariants | Error::TooManyValues)) => {
                self.problem(&it.path, ProblemKind::Limit, format!("{error}; it was left out"));
                return Ok(None);
            }
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
        let new = NewVariant { variant, options: chosen, prices, inventory_items };
        let variant = create_variant(self.tx, self.at, choices, new)?;
        let variant = self.detailed(it, variant)?;
        self.so_far.report.count("product_variants", Fate::Created);
        Ok(Some(variant))
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

pub(super) fn choice(input: &CatalogueVariant) -> BTreeMap<String, String> {
    option_values(input).into_iter().collect()
}
