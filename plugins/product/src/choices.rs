//! The choices of a product's variants: which values of its options are there, and which combinations are
//! taken. They are read once, however many variants are created.

use std::collections::{BTreeMap, HashMap};

use atoll_kernel::{Id, Moment, Read, Write, limits::VARIANTS_MAX};

use crate::{
    Error, OPTIONS, Product, ProductOptionValue, ProductVariant, VARIANTS, service::without_empty_codes,
    values_of, variants_of,
};

/// The values of the options of a product, and the combinations that its variants have chosen.
pub struct Choices<'a> {
    product: &'a Product,
    /// Per option: its title, and its values with their ids.
    options: Vec<(String, HashMap<String, Id<ProductOptionValue>>)>,
    /// The titles of the variants, by what they have chosen.
    taken: HashMap<Vec<Id<ProductOptionValue>>, String>,
    n_variants: usize,
}

impl<'a> Choices<'a> {
    /// Those of the product, as they are now.
    pub fn of(tx: &dyn Read, product: &'a Product) -> Result<Choices<'a>, Error> {
        let mut options = Vec::with_capacity(product.option_ids.len());
        for id in &product.option_ids {
            let values = values_of(tx, id)?.into_iter().map(|it| (it.value, it.id)).collect();
            options.push((OPTIONS.retrieve(tx, id)?.title, values));
        }
        let variants = variants_of(tx, &product.id)?;
        let mut choices = Choices { product, options, taken: HashMap::new(), n_variants: variants.len() };
        variants.into_iter().for_each(|it| choices.take(it.option_value_ids, it.title));
        Ok(choices)
    }

    fn take(&mut self, chosen: Vec<Id<ProductOptionValue>>, title: String) {
        if !chosen.is_empty() {
            self.taken.entry(chosen).or_insert(title);
        }
    }

    /// The values that are given by the titles of their options: every option must have one of its values.
    fn choose(
        &self,
        title: &str,
        choice: &BTreeMap<String, String>,
    ) -> Result<Vec<Id<ProductOptionValue>>, Error> {
        if choice.is_empty() {
            return Ok(Vec::new());
        }
        if choice.len() != self.options.len() {
            let (expected, got) = (self.options.len(), choice.len());
            return Err(Error::OptionCount { expected, got, title: title.to_owned() });
        }
        let value_of = |(option, values): &(String, HashMap<String, Id<ProductOptionValue>>)| {
            let value = choice.get(option).cloned().unwrap_or_default();
            let unknown = |value| Error::OptionValue { value, option: option.clone() };
            values.get(&value).cloned().ok_or_else(|| unknown(value))
        };
        self.options.iter().map(value_of).collect()
    }

    /// Creates a variant with these option values: title of the option → value. No other variant may have the
    /// same combination.
    pub fn create_variant(
        &mut self,
        tx: &mut dyn Write,
        at: &Moment,
        mut variant: ProductVariant,
        choice: &BTreeMap<String, String>,
    ) -> Result<ProductVariant, Error> {
        variant.option_value_ids = self.choose(&variant.title, choice)?;
        if let Some(twin) = self.taken.get(&variant.option_value_ids) {
            return Err(Error::SameOptions(twin.clone()));
        }
        if self.n_variants >= VARIANTS_MAX {
            return Err(Error::TooManyVariants);
        }
        variant.product_id = self.product.id.clone();
        without_empty_codes(&mut variant);
        let variant = VARIANTS.create(tx, at, variant)?;
        self.n_variants += 1;
        self.take(variant.option_value_ids.clone(), variant.title.clone());
        Ok(variant)
    }
}
