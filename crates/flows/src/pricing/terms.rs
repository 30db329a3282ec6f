//! Checks that the currency of a price exists, and the records that its rules name.

use std::collections::HashSet;

use atoll_kernel::{Fault, Read, Registry};
use atoll_pricing::{CUSTOMER_GROUPS, REGION_ID, RuleOperator, Rules, SALES_CHANNEL_ID};
use atoll_region::CURRENCIES;

/// The attributes of rules whose values are ids, and the entities that they are of.
const REFERENCES: [(&str, &str); 3] = [
    (REGION_ID, atoll_region::REGION),
    (SALES_CHANNEL_ID, atoll_sales_channel::SALES_CHANNEL),
    (CUSTOMER_GROUPS, "customer_group"),
];

/// Currencies and records that are known to exist. Each is looked up once, however many prices name it.
pub struct KnownTerms<'a> {
    tx: &'a dyn Read,
    known: HashSet<(&'static str, String)>,
}

impl<'a> KnownTerms<'a> {
    /// Those that this transaction sees.
    pub fn new(tx: &'a dyn Read) -> Self {
        KnownTerms { tx, known: HashSet::new() }
    }

    /// Checks the currency and the rules of a price. Errors: 400 for an unknown currency, 404 for other
    /// unknown records.
    pub fn check(&mut self, currency_code: &str, rules: &Rules) -> Result<(), Fault> {
        self.check_currency(currency_code)?;
        for (attribute, rule) in rules.iter().filter(|(_, it)| it.operator == RuleOperator::Eq) {
            self.check_value(attribute, &rule.value.as_text())?;
        }
        Ok(())
    }

    /// Checks that there is this currency.
    pub fn check_currency(&mut self, code: &str) -> Result<(), Fault> {
        if self.is_known(atoll_region::CURRENCY, code) || CURRENCIES.table.exists(self.tx, code)? {
            self.known.insert((atoll_region::CURRENCY, code.to_owned()));
            return Ok(());
        }
        Err(Fault::invalid(format!("currency with code `{code}` does not exist")))
    }

    /// Checks that there is the record that a rule on this attribute names, if the attribute is one of ids.
    pub fn check_value(&mut self, attribute: &str, value: &str) -> Result<(), Fault> {
        let Some((_, entity)) = REFERENCES.iter().find(|(name, _)| *name == attribute) else {
            return Ok(());
        };
        let graph = Registry::graph();
        if self.is_known(entity, value) || !graph.has_table(entity) {
            return Ok(());
        }
        let table = graph.table(entity);
        if !table.has(self.tx, value)? {
            return Err(Fault::not_found(format!("{} with id: {value} was not found", table.def().words())));
        }
        self.known.insert((entity, value.to_owned()));
        Ok(())
    }

    fn is_known(&self, entity: &'static str, value: &str) -> bool {
        self.known.contains(&(entity, value.to_owned()))
    }
}
