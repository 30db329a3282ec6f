//! Price selection: which price applies in a context (currency, quantity, attributes, time), and the original
//! price beside it.

use std::{cmp::Reverse, collections::BTreeMap};

use atoll_kernel::{Decimal, Now};

use crate::{ListPrice, Price, PriceList, PriceListType, Rules};

/// The context of a sale, in which a price is selected.
#[derive(Clone, Debug)]
pub struct PriceContext {
    /// ISO 4217, in lower case.
    pub currency_code: String,
    /// Quantity; `None` means one.
    pub quantity: Option<Decimal>,
    /// Values that rules compare with, by attribute: `region_id`, `customer.groups.id`, `sales_channel_id`,
    /// `item_total`. Of several values, one must fit.
    pub attributes: BTreeMap<String, Vec<String>>,
    /// The time of the sale.
    pub at: Now,
}

impl PriceContext {
    /// A sale in this currency at this time, of which nothing else is known.
    pub fn new(currency_code: &str, at: impl Into<Now>) -> PriceContext {
        let (currency_code, attributes) = (currency_code.to_owned(), BTreeMap::new());
        PriceContext { currency_code, quantity: None, attributes, at: at.into() }
    }

    /// The same sale, of this quantity.
    pub fn of(self, quantity: Decimal) -> PriceContext {
        PriceContext { quantity: Some(quantity), ..self }
    }

    /// The same sale, with this value of an attribute, if there is one.
    pub fn with(self, attribute: &str, value: Option<&str>) -> PriceContext {
        self.with_all(attribute, value.map(str::to_owned))
    }

    /// The same sale, with these values of an attribute.
    pub fn with_all(mut self, attribute: &str, values: impl IntoIterator<Item = String>) -> PriceContext {
        let values: Vec<String> = values.into_iter().collect();
        if !values.is_empty() {
            self.attributes.insert(attribute.to_owned(), values);
        }
        self
    }

    /// The values of an attribute.
    pub fn values(&self, attribute: &str) -> &[String] {
        self.attributes.get(attribute).map_or(&[], Vec::as_slice)
    }
}

/// A price that may apply: one of a price set, or one of a price list.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Offer<'a> {
    /// The id of the price.
    pub id: &'a str,
    /// ISO 4217, in lower case.
    pub currency_code: &'a str,
    /// Price of one.
    pub amount: Decimal,
    /// Minimum quantity, inclusive.
    pub min_quantity: Option<Decimal>,
    /// Maximum quantity, inclusive.
    pub max_quantity: Option<Decimal>,
    /// Its rules.
    pub rules: &'a Rules,
    /// Its price list.
    pub list: Option<&'a PriceList>,
}

impl<'a> From<&'a Price> for Offer<'a> {
    fn from(price: &'a Price) -> Self {
        Offer {
            id: &price.id,
            currency_code: &price.currency_code,
            amount: price.amount,
            min_quantity: price.min_quantity,
            max_quantity: price.max_quantity,
            rules: &price.rules,
            list: None,
        }
    }
}

impl<'a> Offer<'a> {
    /// A price of this list.
    pub fn listed(price: &'a ListPrice, list: &'a PriceList) -> Self {
        Offer {
            id: &price.id,
            currency_code: &price.currency_code,
            amount: price.amount,
            min_quantity: price.min_quantity,
            max_quantity: price.max_quantity,
            rules: &price.rules,
            list: Some(list),
        }
    }

    /// Does it apply? The time is looked at last, so that it matters only to the prices that it decides on.
    fn applies(&self, context: &PriceContext) -> bool {
        let quantity = context.quantity.unwrap_or(Decimal::ONE);
        self.currency_code == context.currency_code
            && self.min_quantity.is_none_or(|min| min <= quantity)
            && self.max_quantity.is_none_or(|max| quantity <= max)
            && self.rules.hold(context)
            && self.list.is_none_or(|it| it.applies(context))
    }

    /// The lowest comes first: most rules, its own and those of its list, then the lowest amount. The id
    /// makes the choice the same every time.
    fn rank(&self) -> (Reverse<usize>, Decimal, &'a str) {
        let n_rules = self.rules.len() + self.list.map_or(0, |it| it.rules.len());
        (Reverse(n_rules), self.amount, self.id)
    }
}

/// The price that applies, and the one to compare it with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Selected<'a> {
    /// What is to be paid.
    pub calculated: Offer<'a>,
    /// The price without the sale; the same as the calculated one if there is no sale.
    pub original: Offer<'a>,
}

/// The price that applies in this context; `None` if there is none.
///
/// The best price of the lists comes before that of the set. If its list is an override, it is both the
/// calculated and the original price. If its list is a sale, the lower of both is the calculated price, and
/// that of the set the original one.
pub fn select<'a>(
    offers: impl IntoIterator<Item = Offer<'a>>,
    context: &PriceContext,
) -> Option<Selected<'a>> {
    let (mut listed, mut base): (Option<Offer<'a>>, Option<Offer<'a>>) = (None, None);
    for offer in offers.into_iter().filter(|it| it.applies(context)) {
        let best = if offer.list.is_some() { &mut listed } else { &mut base };
        if best.is_none_or(|best| offer.rank() < best.rank()) {
            *best = Some(offer);
        }
    }
    let is_sale = |it: &Offer<'_>| it.list.is_some_and(|it| it.r#type == PriceListType::Sale);
    let (calculated, original) = match (listed, base) {
        (Some(sale), Some(base)) if is_sale(&sale) => {
            (if sale.amount < base.amount { sale } else { base }, base)
        }
        (Some(only), _) | (None, Some(only)) => (only, only),
        (None, None) => return None,
    };
    Some(Selected { calculated, original })
}

#[cfg(test)]
mod tests {
    use atoll_kernel::Timestamp;

    use super::*;
    use crate::PriceListStatus;

    const T: Timestamp = Timestamp::from_millis(1_000);

    fn price(id: &str, amount: i64) -> Price {
        Price { id: id.into(), currency_code: "eur".into(), amount: amount.into(), ..Price::default() }
    }

    fn list(r#type: PriceListType) -> PriceList {
        PriceList { r#type, status: PriceListStatus::Active, ..PriceList::default() }
    }

    fn listed(id: &str, amount: i64) -> ListPrice {
        ListPrice {
            id: id.into(),
            currency_code: "eur".into(),
            amount: amount.into(),
            ..ListPrice::default()
        }
    }

    fn n(number: i64) -> Option<Decimal> {
        Some(number.into())
    }

    fn rule(attribute: &str, values: &[&str]) -> BTreeMap<String, Vec<String>> {
        [(attribute.to_owned(), values.iter().map(|it| (*it).to_owned()).collect())].into()
    }

    /// The ids of the calculated and of the original price.
    #[track_caller]
    fn check(
        base: &[Price],
        lists: &[(&PriceList, ListPrice)],
        context: &PriceContext,
        expect: Option<(&str, &str)>,
    ) {
        let offers =
            || base.iter().map(Offer::from).chain(lists.iter().map(|(list, it)| Offer::listed(it, list)));
        let selected = select(offers(), context).map(|it| (it.calculated.id, it.original.id));
        assert_eq!(selected, expect);
        // Whatever their order is.
        let backwards: Vec<_> = offers().collect();
        let selected = select(backwards.into_iter().rev(), context);
        assert_eq!(selected.map(|it| (it.calculated.id, it.original.id)), expect, "backwards");
    }

    fn eur() -> PriceContext {
        PriceContext::new("eur", T)
    }

    #[test]
    fn the_base_price_with_the_most_rules_applies_and_then_the_lowest() {
        let base = [
            price("plain", 20),
            Price { min_quantity: n(10), ..price("ten", 18) },
            Price { min_quantity: n(20), max_quantity: n(30), ..price("twenty", 7) },
            Price { rules: Rules::default().with("region_id", "reg_de"), ..price("germany", 19) },
            Price { currency_code: "usd".into(), ..price("dollars", 25) },
        ];
        let of = |quantity: i64| eur().of(quantity.into());
        check(&base, &[], &eur(), Some(("plain", "plain")));
        check(&base, &[], &of(9), Some(("plain", "plain")));
        check(&base, &[], &of(10), Some(("ten", "ten")));
        check(&base, &[], &of(30), Some(("twenty", "twenty")));
        check(&base, &[], &of(31), Some(("ten", "ten")));
        // More rules win over a better quantity.
        check(&base, &[], &of(20).with("region_id", Some("reg_de")), Some(("germany", "germany")));
        check(&base, &[], &PriceContext::new("usd", T), Some(("dollars", "dollars")));
        check(&base, &[], &PriceContext::new("pln", T), None);
        check(&[], &[], &eur(), None);
    }

    #[test]
    fn sale_is_the_lower_price_and_the_original_stays() {
        let (sale, base) = (list(PriceListType::Sale), [price("base", 20)]);
        check(&base, &[(&sale, listed("sale", 15))], &eur(), Some(("sale", "base")));
        check(&base, &[(&sale, listed("dear", 30))], &eur(), Some(("base", "base")));
        check(&base, &[(&sale, listed("same", 20))], &eur(), Some(("base", "base")));
        check(&base, &[(&sale, listed("a", 30)), (&sale, listed("b", 16))], &eur(), Some(("b", "base")));
        check(&[], &[(&sale, listed("only", 15))], &eur(), Some(("only", "only")));
    }

    #[test]
    fn override_is_both_prices_also_if_it_is_dearer() {
        let (over, sale) = (list(PriceListType::Override), list(PriceListType::Sale));
        let base = [price("base", 10)];
        check(&base, &[(&over, listed("over", 12))], &eur(), Some(("over", "over")));
        let vip = PriceList { rules: rule("customer.groups.id", &["vip", "vvip"]), ..over.clone() };
        let lists = [(&vip, listed("vip", 16)), (&sale, listed("sale", 5))];
        check(&base, &lists, &eur(), Some(("sale", "base")));
        let groups =
            |ids: &[&str]| eur().with_all("customer.groups.id", ids.iter().map(|it| (*it).to_owned()));
        check(&base, &lists, &groups(&["new"]), Some(("sale", "base")));
        check(&base, &lists, &groups(&["new", "vvip"]), Some(("vip", "vip")));
        // Without a rule more, the amount decides.
        check(
            &base,
            &[(&over, listed("over", 12)), (&sale, listed("sale", 5))],
            &eur(),
            Some(("sale", "base")),
        );
        let tiers = [
            (&over, listed("one", 12)),
            (&over, ListPrice { min_quantity: n(5), max_quantity: n(9), ..listed("five", 11) }),
            (&over, ListPrice { min_quantity: n(10), ..listed("ten", 8) }),
        ];
        for (quantity, expect) in [(4_i64, "one"), (5, "five"), (9, "five"), (10, "ten"), (12, "ten")] {
            check(&base, &tiers, &eur().of(quantity.into()), Some((expect, expect)));
        }
    }

    #[test]
    fn rules_of_the_list_and_of_its_price_both_count() {
        let base = [price("base", 20)];
        let web = PriceList { rules: rule("sales_channel_id", &["web"]), ..list(PriceListType::Sale) };
        let germany = |id: &str, amount| ListPrice {
            rules: Rules::default().with("region_id", "reg_de"),
            ..listed(id, amount)
        };
        let lists = [(&web, listed("web", 10)), (&web, germany("web in germany", 12))];
        check(&base, &lists, &eur(), Some(("base", "base")));
        check(&base, &lists, &eur().with("sales_channel_id", Some("app")), Some(("base", "base")));
        let web = eur().with("sales_channel_id", Some("web"));
        check(&base, &lists, &web, Some(("web", "base")));
        check(&base, &lists, &web.with("region_id", Some("reg_de")), Some(("web in germany", "base")));
    }

    #[test]
    fn list_applies_from_its_start_until_its_end() {
        let (from, until) = (Some(T), Some(T.plus_millis(10)));
        let base = [price("base", 20)];
        let window = |starts_at, ends_at| PriceList { starts_at, ends_at, ..list(PriceListType::Sale) };
        for (starts_at, ends_at, open) in [
            (None, None, [true; 6]),
            (from, None, [false, true, true, true, true, true]),
            (None, until, [true, true, true, true, false, false]),
            (from, until, [false, true, true, true, false, false]),
        ] {
            let sale = window(starts_at, ends_at);
            for (millis, is_open) in [-1, 0, 1, 9, 10, 11].into_iter().zip(open) {
                let context = PriceContext::new("eur", T.plus_millis(millis));
                let expect = if is_open { ("sale", "base") } else { ("base", "base") };
                check(&base, &[(&sale, listed("sale", 15))], &context, Some(expect));
            }
        }
        let draft = PriceList { status: PriceListStatus::Draft, ..list(PriceListType::Override) };
        check(&base, &[(&draft, listed("draft", 1))], &eur(), Some(("base", "base")));
    }
}
