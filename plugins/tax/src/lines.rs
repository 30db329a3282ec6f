//! Which rates tax an item or a shipping method: the province before its country; within a region a rule for
//! the product before one for its type, before the default rate. The rate of a province may be combinable:
//! then that of the country is added.

use atoll_checkout::{TaxItem, TaxLine, TaxLines, TaxRequest, TaxShipping};

use crate::{Reference, TaxRate};

/// Where rates are found.
pub(crate) trait Rates {
    /// Why they cannot be read.
    type Error;

    /// The rate of a region with a rule for this id; the oldest rule, if there are several.
    fn named(&mut self, region: &str, reference: Reference, id: &str)
    -> Result<Option<TaxRate>, Self::Error>;

    /// The default rate of a region.
    fn default(&mut self, region: &str) -> Result<Option<TaxRate>, Self::Error>;
}

/// The tax regions of an address, by their ids.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Regions {
    pub(crate) province: Option<String>,
    pub(crate) country: Option<String>,
}

/// The tax lines of all items and shipping methods.
pub(crate) fn tax_lines<R: Rates>(
    rates: &mut R,
    regions: &Regions,
    request: &TaxRequest,
) -> Result<TaxLines, R::Error> {
    let mut lines = TaxLines::new();
    for item in request.items.iter().filter(|it| !it.is_giftcard) {
        lines.insert(item.id.clone(), lines_for(rates, regions, &names_of_item(item))?);
    }
    for method in &request.shipping {
        lines.insert(method.id.clone(), lines_for(rates, regions, &names_of_shipping(method))?);
    }
    lines.retain(|_, lines| !lines.is_empty());
    Ok(lines)
}

/// What a rule may name of an item; the first counts most.
fn names_of_item(item: &TaxItem) -> Vec<(Reference, &str)> {
    let product = item.product_id.as_deref().map(|id| (Reference::Product, id));
    let kind = item.product_type_id.as_deref().map(|id| (Reference::ProductType, id));
    product.into_iter().chain(kind).collect()
}

fn names_of_shipping(method: &TaxShipping) -> Vec<(Reference, &str)> {
    method.shipping_option_id.as_deref().map(|id| (Reference::ShippingOption, id)).into_iter().collect()
}

fn lines_for<R: Rates>(
    rates: &mut R,
    regions: &Regions,
    names: &[(Reference, &str)],
) -> Result<Vec<TaxLine>, R::Error> {
    let mut best = |region: &Option<String>| match region {
        Some(region) => best_rate(rates, region, names),
        None => Ok(None),
    };
    let province = best(&regions.province)?;
    let is_enough = province.as_ref().is_some_and(|it| !it.is_combinable);
    let country = if is_enough { None } else { best(&regions.country)? };
    Ok([province, country].into_iter().flatten().filter_map(line_of).collect())
}

/// The best rate of a region.
fn best_rate<R: Rates>(
    rates: &mut R,
    region: &str,
    names: &[(Reference, &str)],
) -> Result<Option<TaxRate>, R::Error> {
    for (reference, id) in names {
        if let Some(rate) = rates.named(region, *reference, id)? {
            return Ok(Some(rate));
        }
    }
    rates.default(region)
}

/// What the wire calls the provider of the built-in rates.
const SYSTEM_NAME: &str = "system";

/// A rate without a percentage makes no line.
fn line_of(rate: TaxRate) -> Option<TaxLine> {
    let percent = rate.rate?;
    Some(TaxLine {
        description: Some(rate.name),
        tax_rate_id: Some(rate.id.to_string()),
        code: rate.code,
        rate: percent,
        provider_id: Some(SYSTEM_NAME.to_owned()),
        ..TaxLine::default()
    })
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use atoll_kernel::Decimal;

    use super::*;

    /// A row: region, name of the rate, percent, is it the default, is it combinable, what its rules name.
    type Row = (&'static str, &'static str, &'static str, bool, bool, &'static [(Reference, &'static str)]);

    const PRODUCT: Reference = Reference::Product;
    const TYPE: Reference = Reference::ProductType;
    const OPTION: Reference = Reference::ShippingOption;

    const TABLE: &[Row] = &[
        ("de", "MwSt", "19", true, false, &[]),
        ("de", "Reduced", "7", false, false, &[(TYPE, "books"), (PRODUCT, "bread")]),
        ("de", "Zero", "0", false, false, &[(PRODUCT, "mug")]),
        ("de", "Parcel", "5", false, false, &[(OPTION, "standard")]),
        ("de", "Nothing", "", false, false, &[(PRODUCT, "stamp")]),
        ("us", "Federal", "2", true, false, &[]),
        ("us", "Tobacco", "50", false, false, &[(PRODUCT, "pipe")]),
        ("us-ca", "CA", "7.25", true, true, &[]),
        ("us-ca", "CA clothes", "1.5", false, true, &[(PRODUCT, "shirt")]),
        ("us-ny", "NY", "8.875", true, false, &[]),
        ("us-wa", "WA books", "3", false, false, &[(TYPE, "books")]),
    ];

    struct Rows;

    impl Rows {
        fn first(row: Option<&Row>) -> Result<Option<TaxRate>, Infallible> {
            Ok(row.map(|(_, name, percent, _, is_combinable, _)| TaxRate {
                name: (*name).to_owned(),
                rate: percent.parse().ok(),
                is_combinable: *is_combinable,
                ..TaxRate::default()
            }))
        }
    }

    impl Rates for Rows {
        type Error = Infallible;

        fn named(
            &mut self,
            region: &str,
            reference: Reference,
            id: &str,
        ) -> Result<Option<TaxRate>, Infallible> {
            Rows::first(TABLE.iter().find(|row| row.0 == region && row.5.contains(&(reference, id))))
        }

        fn default(&mut self, region: &str) -> Result<Option<TaxRate>, Infallible> {
            Rows::first(TABLE.iter().find(|row| row.0 == region && row.3))
        }
    }

    /// The lines of one item or shipping method at an address, as `name rate`, joined.
    #[track_caller]
    fn check(country: Option<&str>, province: Option<&str>, taxed: &str, expected: &str) {
        let regions = Regions { province: province.map(str::to_owned), country: country.map(str::to_owned) };
        let mut request = TaxRequest::default();
        let named = |id: &str| (!id.is_empty()).then(|| id.to_owned());
        match taxed.split_once(' ') {
            Some(("ship", option)) => request.shipping.push(TaxShipping {
                id: "it".into(),
                shipping_option_id: named(option),
                ..TaxShipping::default()
            }),
            Some((product, kind)) => request.items.push(TaxItem {
                id: "it".into(),
                product_id: named(product),
                product_type_id: named(kind),
                is_giftcard: product == "card",
                ..TaxItem::default()
            }),
            None => panic!("{taxed} is no item and no shipping method"),
        }
        let Ok(lines) = tax_lines(&mut Rows, &regions, &request);
        let lines = lines.get("it").into_iter().flatten();
        let lines: Vec<_> = lines
            .map(|it| format!("{} {}", it.description.as_deref().unwrap_or_default(), it.rate))
            .collect();
        assert_eq!(lines.join(", "), expected, "{taxed} to {country:?} {province:?}");
    }

    #[test]
    fn the_best_rate_of_the_closest_region_applies() {
        // An item is its product and its type.
        check(Some("de"), None, "shirt clothes", "MwSt 19");
        check(Some("de"), None, " ", "MwSt 19");
        check(Some("de"), None, "novel books", "Reduced 7");
        // A rule for the product counts more than one for its type.
        check(Some("de"), None, "mug books", "Zero 0");
        check(Some("de"), None, "bread clothes", "Reduced 7");
        check(Some("de"), None, "stamp books", "");
        check(Some("de"), None, "card clothes", "");
        check(Some("de"), None, "ship standard", "Parcel 5");
        check(Some("de"), None, "ship express", "MwSt 19");
        check(Some("de"), None, "ship ", "MwSt 19");
        // An id of something else is not a rule for it.
        check(Some("de"), None, "standard mug", "MwSt 19");
        // Provinces: California adds, New York does not, Washington has a rate for books only.
        check(Some("us"), None, "shirt clothes", "Federal 2");
        check(Some("us"), Some("us-ca"), "mug ", "CA 7.25, Federal 2");
        check(Some("us"), Some("us-ca"), "shirt clothes", "CA clothes 1.5, Federal 2");
        check(Some("us"), Some("us-ca"), "pipe ", "CA 7.25, Tobacco 50");
        check(Some("us"), Some("us-ca"), "ship ground", "CA 7.25, Federal 2");
        check(Some("us"), Some("us-ny"), "pipe ", "NY 8.875");
        check(Some("us"), Some("us-wa"), "novel books", "WA books 3");
        check(Some("us"), Some("us-wa"), "pipe ", "Tobacco 50");
        // Regions without rates, and no region at all.
        check(Some("dk"), None, "shirt clothes", "");
        check(Some("dk"), Some("dk-84"), "shirt clothes", "");
        check(None, None, "shirt clothes", "");
    }

    #[test]
    fn a_worked_example_of_california_is_exact() {
        let percent = |lines: &[TaxLine]| lines.iter().map(|it| it.rate).sum::<Decimal>();
        let item = |id: &str| TaxItem { id: id.into(), product_id: Some(id.into()), ..TaxItem::default() };
        let ground = TaxShipping { id: "ground".into(), ..TaxShipping::default() };
        let request = TaxRequest {
            items: vec![item("shirt"), item("mug")],
            shipping: vec![ground],
            ..TaxRequest::default()
        };
        let regions = Regions { province: Some("us-ca".into()), country: Some("us".into()) };
        let Ok(lines) = tax_lines(&mut Rows, &regions, &request);
        let tax = |id: &str, price: &str| {
            let price: Decimal = price.parse().expect("a price");
            let hundredth: Decimal = "0.01".parse().expect("a number");
            (price * percent(&lines[id]) * hundredth).to_string()
        };
        assert_eq!(tax("shirt", "25"), "0.875");
        assert_eq!(tax("mug", "10.99"), "1.016575");
        assert_eq!(tax("ground", "8"), "0.74");
    }
}
