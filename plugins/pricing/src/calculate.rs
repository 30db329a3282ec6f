//! Price selection: the price of a set that applies in a context (currency, quantity, rules).

use std::collections::BTreeMap;

use atoll_kernel::Decimal;

use crate::{Price, PriceSet};

/// The context of a sale, in which a price is selected.
#[derive(Clone, Debug, Default)]
pub struct PriceContext {
    /// ISO 4217, in lower case.
    pub currency_code: String,
    /// Quantity; `None` means one.
    pub quantity: Option<Decimal>,
    /// Values that rules compare with: `region_id` → `reg_…`.
    pub attributes: BTreeMap<String, String>,
}

/// The price that applies: among those in the currency whose rules and quantity range match, the one with the
/// most rules; among these the lowest.
pub fn calculate<'a>(set: &'a PriceSet, context: &PriceContext) -> Option<&'a Price> {
    let quantity = context.quantity.unwrap_or(Decimal::ONE);
    let applies = |price: &&Price| {
        price.currency_code == context.currency_code
            && price.min_quantity.is_none_or(|min| min <= quantity)
            && price.max_quantity.is_none_or(|max| quantity <= max)
            && price.rules.iter().all(|(name, value)| context.attributes.get(name) == Some(value))
    };
    set.prices.iter().filter(applies).min_by_key(|price| (std::cmp::Reverse(price.rules.len()), price.amount))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(currency: &str, amount: i64, min: Option<i64>, rule: Option<(&str, &str)>) -> Price {
        Price {
            currency_code: currency.into(),
            amount: amount.into(),
            min_quantity: min.map(Decimal::from),
            rules: rule.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            ..Price::default()
        }
    }

    #[track_caller]
    fn check(currency: &str, quantity: Option<i64>, region: Option<&str>, expect: Option<i64>) {
        let prices = vec![
            price("eur", 20, None, None),
            price("eur", 18, Some(10), None),
            price("eur", 19, None, Some(("region_id", "reg_de"))),
            price("usd", 25, None, None),
        ];
        let set = PriceSet { prices, ..PriceSet::default() };
        let attributes = region.map(|it| ("region_id".to_owned(), it.to_owned())).into_iter().collect();
        let context = PriceContext {
            currency_code: currency.into(),
            quantity: quantity.map(Decimal::from),
            attributes,
        };
        assert_eq!(calculate(&set, &context).map(|it| it.amount), expect.map(Decimal::from));
    }

    #[test]
    fn the_most_specific_price_applies_and_then_the_lowest() {
        check("eur", None, None, Some(20));
        check("eur", Some(9), None, Some(20));
        check("eur", Some(10), None, Some(18));
        check("eur", Some(10), Some("reg_de"), Some(19));
        check("usd", None, Some("reg_de"), Some(25));
        check("pln", None, None, None);
    }
}
