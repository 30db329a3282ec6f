//! The choices of a product's variants: which values of its options are there, and which combinations are
//! taken. They are read once, however many variants are created.

use std::collections::{BTreeMap, HashMap};

use atoll_kernel::{
    Id, Moment, Read, Write,
    limits::{OPTION_VALUES_MAX, VARIANTS_MAX},
};

use crate::{
    Error, OPTION_VALUES, OPTIONS, Product, ProductOption, ProductOptionValue, ProductVariant, VARIANTS,
    service::without_empty_codes, values_of, variants_of,
};

/// The values of the options of a product, and the combinations that its variants have chosen.
pub struct Choices<'a> {
    product: &'a Product,
    options: Vec<Offered>,
    /// The titles of the variants, by what they have chosen.
    taken: HashMap<Vec<Id<ProductOptionValue>>, String>,
    n_variants: usize,
}

/// An option of a product.
struct Offered {
    id: Id<ProductOption>,
    title: String,
    /// Its values with their ids.
    values: HashMap<String, Id<ProductOptionValue>>,
}

impl<'a> Choices<'a> {
    /// Those of the product, as they are now.
    pub fn of(tx: &dyn Read, product: &'a Product) -> Result<Choices<'a>, Error> {
        let mut options = Vec::with_capacity(product.option_ids.len());
        for id in &product.option_ids {
            let values = values_of(tx, id)?.into_iter().map(|it| (it.value, it.id)).collect();
            options.push(Offered { id: id.clone(), title: OPTIONS.retrieve(tx, id)?.title, values });
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
    pub fn choose(
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
        let value_of = |option: &Offered| {
            let value = choice.get(&option.title).cloned().unwrap_or_default();
            let unknown = |value| Error::OptionValue { value, option: option.title.clone() };
            option.values.get(&value).cloned().ok_or_else(|| unknown(value))
        };
        self.options.iter().map(value_of).collect()
    }

    /// Are these the options of the product: title of the option → value?
    pub fn are_options(&self, choice: &BTreeMap<String, String>) -> bool {
        choice.len() == self.options.len() && self.options.iter().all(|it| choice.contains_key(&it.title))
    }

    /// Adds the values that options of the product lack; what is no option of it is left out. Errors, and
    /// nothing is written then: an option has [`OPTION_VALUES_MAX`].
    pub fn offer(
        &mut self,
        tx: &mut dyn Write,
        at: &Moment,
        choice: &BTreeMap<String, String>,
    ) -> Result<(), Error> {
        let lacks =
            |it: &&mut Offered| choice.get(&it.title).is_some_and(|value| !it.values.contains_key(value));
        let mut lacking: Vec<&mut Offered> = self.options.iter_mut().filter(lacks).collect();
        if lacking.iter().any(|it| it.values.len() >= OPTION_VALUES_MAX) {
            return Err(Error::TooManyValues);
        }
        for option in &mut lacking {
            let (value, option_id) = (choice[&option.title].clone(), option.id.clone());
            let new = ProductOptionValue { value: value.clone(), option_id, ..Default::default() };
            option.values.insert(value, OPTION_VALUES.create(tx, at, new)?.id);
        }
        Ok(())
    }

    /// Can a variant with these option values be created, once they are offered? Errors: those of
    /// [`Choices::create_variant`].
    pub fn check(&self, title: &str, choice: &BTreeMap<String, String>) -> Result<(), Error> {
        if self.n_variants >= VARIANTS_MAX {
            return Err(Error::TooManyVariants);
        }
        match self.choose(title, choice) {
            Ok(chosen) => self.check_free(&chosen),
            Err(Error::OptionValue { .. }) if self.are_options(choice) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn check_free(&self, chosen: &[Id<ProductOptionValue>]) -> Result<(), Error> {
        self.taken.get(chosen).map_or(Ok(()), |twin| Err(Error::SameOptions(twin.clone())))
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
        self.check_free(&variant.option_value_ids)?;
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
