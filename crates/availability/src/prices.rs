//! The prices of a variant: the computed fields `prices` (all, for admins) and `calculated_price` (the one
//! that applies).

use atoll_checkout::Tax;
use atoll_kernel::{
    Decimal, Now, Read, StoreError, computed,
    data::{Exact, FieldKind, FieldValue, Link, Node, of},
    query::{Computed, Env, QueryError},
    serde_json::{Value, json},
};
use atoll_links::PRODUCT_VARIANT_PRICE_SET;
use atoll_pricing::{
    CUSTOMER_GROUPS, Offer, PRICE_SETS, Price, PriceContext, PriceListType, PriceSet, SALES_CHANNEL_ID,
    TaxInclusion, list::ListOffers, select,
};
use atoll_product::{ProductVariant, VARIANT};

use crate::TaxPlace;

/// Context key: the currency of prices.
pub const CURRENCY: &str = "currency_code";
/// Context key: the region of prices.
pub const REGION: &str = "region_id";
/// Context key: the sales channel of prices.
pub const CHANNEL: &str = SALES_CHANNEL_ID;
/// Context key: the groups of the customer who is shown prices.
pub const GROUPS: &str = CUSTOMER_GROUPS;

computed! {
    /// All prices of a variant.
    pub static PRICES = Computed {
        entity: VARIANT,
        name: "prices",
        text: "All prices of the variant.",
        kind: FieldKind::List(&PRICE),
        also_shows: &[],
        sorts: false,
        compute: all_prices,
    };
}

computed! {
    /// The price that applies in the region of the context; null if there is none.
    pub static CALCULATED_PRICE = Computed {
        entity: VARIANT,
        name: "calculated_price",
        text: "The price that applies in the region of the request; null if there is none.",
        kind: FieldKind::OrNull(&CALCULATED),
        also_shows: &[],
        sorts: false,
        compute: calculated_prices,
    };
}

/// A price, as admins are shown it.
const PRICE: FieldKind = FieldKind::Fields {
    names: &[
        "id", "amount", "currency_code", "min_quantity", "max_quantity", "variant_id", "created_at",
        "updated_at", "rules",
    ],
    kinds: &[
        FieldKind::Text,
        FieldKind::Decimal,
        FieldKind::Text,
        NUMBER_OR_NULL,
        NUMBER_OR_NULL,
        FieldKind::Text,
        FieldKind::Time,
        FieldKind::Time,
        FieldKind::Record,
    ],
};

/// The price that applies, and the original one, which differs in a sale. The amounts with and without taxes
/// are absent where these are not known.
const CALCULATED: FieldKind = FieldKind::Fields {
    names: &[
        "id", "is_calculated_price_price_list", "is_calculated_price_tax_inclusive", "calculated_amount",
        "raw_calculated_amount", "is_original_price_price_list", "is_original_price_tax_inclusive",
        "original_amount", "raw_original_amount", "currency_code", "calculated_price", "original_price",
        "calculated_amount_with_tax", "calculated_amount_without_tax", "original_amount_with_tax",
        "original_amount_without_tax",
    ],
    kinds: &[
        FieldKind::Text,
        FieldKind::Bool,
        FieldKind::Bool,
        FieldKind::Decimal,
        Exact::KIND,
        FieldKind::Bool,
        FieldKind::Bool,
        FieldKind::Decimal,
        Exact::KIND,
        FieldKind::Text,
        SOURCE,
        SOURCE,
        FieldKind::Decimal,
        FieldKind::Decimal,
        FieldKind::Decimal,
        FieldKind::Decimal,
    ],
};

/// The price, and the price list, that an amount comes from.
const SOURCE: FieldKind = FieldKind::Fields {
    names: &["id", "price_list_id", "price_list_type", "min_quantity", "max_quantity"],
    kinds: &[FieldKind::Text, TEXT_OR_NULL, TEXT_OR_NULL, NUMBER_OR_NULL, NUMBER_OR_NULL],
};
const TEXT_OR_NULL: FieldKind = FieldKind::OrNull(&FieldKind::Text);
const NUMBER_OR_NULL: FieldKind = FieldKind::OrNull(&FieldKind::Decimal);

/// The wire's error for prices without a region.
pub(crate) const NO_REGION: &str = "Missing required pricing context to calculate prices - region_id";

/// The pricing context of a sale at this time. What else rules look at (channel, customer groups) is added by
/// [`PriceContext::with`] and [`PriceContext::with_all`].
pub fn price_context(
    currency_code: &str,
    region_id: Option<&str>,
    quantity: Option<Decimal>,
    at: impl Into<Now>,
) -> PriceContext {
    PriceContext { quantity, ..PriceContext::new(currency_code, at).with(REGION, region_id) }
}

/// The price that applies to a sale, and the original one.
#[derive(Clone, Debug, PartialEq)]
pub struct CalculatedPrice {
    /// The id of the price set.
    pub price_set_id: String,
    /// ISO 4217, in lower case.
    pub currency_code: String,
    /// What is to be paid.
    pub calculated: PriceSource,
    /// The price without the sale; the same as the calculated one if there is no sale.
    pub original: PriceSource,
}

/// An amount, and the price that it comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct PriceSource {
    /// The id of the price.
    pub id: String,
    /// Price of one.
    pub amount: Decimal,
    /// Does the amount include tax?
    pub is_tax_inclusive: bool,
    /// The price list, by its id, and its type.
    pub list: Option<(String, PriceListType)>,
    /// Minimum quantity, inclusive.
    pub min_quantity: Option<Decimal>,
    /// Maximum quantity, inclusive.
    pub max_quantity: Option<Decimal>,
}

impl CalculatedPrice {
    /// As the wire shows it.
    pub fn json(&self) -> Value {
        let CalculatedPrice { price_set_id, currency_code, calculated, original } = self;
        json!({
            "id": price_set_id,
            "is_calculated_price_price_list": calculated.list.is_some(),
            "is_calculated_price_tax_inclusive": calculated.is_tax_inclusive,
            "calculated_amount": calculated.amount,
            "raw_calculated_amount": calculated.amount.raw(),
            "is_original_price_price_list": original.list.is_some(),
            "is_original_price_tax_inclusive": original.is_tax_inclusive,
            "original_amount": original.amount,
            "raw_original_amount": original.amount.raw(),
            "currency_code": currency_code,
            "calculated_price": calculated.json(),
            "original_price": original.json(),
        })
    }

    /// Adds both amounts with and without taxes.
    fn add_taxes(&self, tax: Tax, shown: &mut Value) {
        let split = |it: &PriceSource| tax.split(it.amount, it.is_tax_inclusive);
        let (calculated, original) = (split(&self.calculated), split(&self.original));
        shown["calculated_amount_with_tax"] = json!(calculated.gross().nearest());
        shown["calculated_amount_without_tax"] = json!(calculated.net.nearest());
        shown["original_amount_with_tax"] = json!(original.gross().nearest());
        shown["original_amount_without_tax"] = json!(original.net.nearest());
    }

    /// The amount to compare with, which is crossed out: the original one, where a sale made the price.
    pub fn compare_at(&self) -> Option<Decimal> {
        let is_sale = self.calculated.list.as_ref().is_some_and(|(_, it)| *it == PriceListType::Sale);
        (is_sale && self.original.id != self.calculated.id).then_some(self.original.amount)
    }
}

impl PriceSource {
    /// The price that the amount comes from, as the wire shows it.
    fn json(&self) -> Value {
        let list = self.list.as_ref();
        json!({
            "id": self.id, "price_list_id": list.map(|(id, _)| id),
            "price_list_type": list.map(|(_, it)| it), "min_quantity": self.min_quantity,
            "max_quantity": self.max_quantity,
        })
    }
}

/// Calculates prices from one snapshot: a page or a cart reads each price list and each preference once.
pub struct Prices<'a> {
    view: &'a dyn Read,
    lists: ListOffers<'a>,
    tax: TaxInclusion<'a>,
}

impl<'a> Prices<'a> {
    /// The prices in this snapshot.
    pub fn new(view: &'a dyn Read) -> Self {
        Prices { view, lists: ListOffers::new(view), tax: TaxInclusion::new(view) }
    }

    /// The price of a variant that applies in the context; `None` if there is none.
    pub fn of_variant(
        &mut self,
        variant: &str,
        context: &PriceContext,
    ) -> Result<Option<CalculatedPrice>, StoreError> {
        let set = set_of(self.view, variant)?;
        set.map_or(Ok(None), |set| self.of_set(&set, context))
    }

    /// The price of a price set that applies in the context; `None` if there is none.
    pub fn of_set(
        &mut self,
        set: &PriceSet,
        context: &PriceContext,
    ) -> Result<Option<CalculatedPrice>, StoreError> {
        let listed = self.lists.of_set(&set.id, context)?;
        let base = set.prices.iter().map(Offer::from);
        let offers = base.chain(listed.iter().map(|(price, list)| Offer::listed(price, list)));
        let Some(selected) = select(offers, context) else { return Ok(None) };
        Ok(Some(CalculatedPrice {
            price_set_id: set.id.to_string(),
            currency_code: context.currency_code.clone(),
            calculated: self.source(&selected.calculated)?,
            original: self.source(&selected.original)?,
        }))
    }

    fn source(&mut self, offer: &Offer<'_>) -> Result<PriceSource, StoreError> {
        Ok(PriceSource {
            id: offer.id.to_owned(),
            amount: offer.amount,
            is_tax_inclusive: self.tax.of(offer.currency_code, offer.rules)?,
            list: offer.list.map(|it| (it.id.to_string(), it.r#type)),
            min_quantity: offer.min_quantity,
            max_quantity: offer.max_quantity,
        })
    }
}

/// The amount of a variant that applies in the context; `None` if there is none.
pub fn price_of(
    view: &dyn Read,
    variant: &str,
    context: &PriceContext,
) -> Result<Option<Decimal>, StoreError> {
    Ok(Prices::new(view).of_variant(variant, context)?.map(|it| it.calculated.amount))
}

fn set_of(view: &dyn Read, variant: &str) -> Result<Option<PriceSet>, StoreError> {
    linked_set(&PRODUCT_VARIANT_PRICE_SET, view, variant)
}

/// The price set to which this link leads from a record; `None` if the record has none.
pub(crate) fn linked_set(link: &Link, view: &dyn Read, record: &str) -> Result<Option<PriceSet>, StoreError> {
    match link.rights(view, record)?.first() {
        Some(set) => PRICE_SETS.get(view, set),
        None => Ok(None),
    }
}

fn all_prices(env: &Env<'_>, nodes: &[Node]) -> Result<Vec<Option<Value>>, QueryError> {
    let mut all = Vec::with_capacity(nodes.len());
    for node in nodes {
        // All prices, of every region and customer group, are for admins.
        if env.context.wall().is_some() {
            all.push(None);
            continue;
        }
        let set = set_of(env.view, node.key())?.unwrap_or_default();
        let price = |price: &Price| {
            json!({
                "id": price.id, "amount": price.amount, "currency_code": price.currency_code,
                "min_quantity": price.min_quantity, "max_quantity": price.max_quantity,
                "variant_id": node.key(), "created_at": price.created_at, "updated_at": price.updated_at,
                "rules": price.rules,
            })
        };
        all.push(Some(set.prices.iter().map(price).collect()));
    }
    Ok(all)
}

fn calculated_prices(env: &Env<'_>, nodes: &[Node]) -> Result<Vec<Option<Value>>, QueryError> {
    let Some(currency) = env.context.one(CURRENCY) else {
        return Err(QueryError::Context(NO_REGION.into()));
    };
    let mut context = PriceContext::new(currency, &env.context.at);
    for attribute in [REGION, CHANNEL, GROUPS] {
        context = context.with_all(attribute, env.context.get(attribute).unwrap_or_default().to_vec());
    }
    let mut prices = Prices::new(env.view);
    let price = |node: &Node| prices.of_variant(node.key(), &context);
    let priced = nodes.iter().map(price).collect::<Result<Vec<_>, _>>()?;
    let variants = nodes.iter().map(of::<ProductVariant>);
    let place = env.context.held::<TaxPlace>();
    let with_price = variants.clone().zip(&priced).filter_map(|(it, price)| Some((it, price.as_ref()?)));
    let taxes = place.map_or(Ok(None), |it| it.tax_lines(env, with_price))?;
    let shown = variants.zip(&priced).map(|(variant, price)| {
        let Some(price) = price else { return Some(Value::Null) };
        let mut shown = price.json();
        if let Some(taxes) = &taxes {
            let rates = taxes.get(&*variant.id).into_iter().flatten().map(|it| it.rate);
            price.add_taxes(Tax::of(rates), &mut shown);
        }
        Some(shown)
    });
    Ok(shown.collect())
}
