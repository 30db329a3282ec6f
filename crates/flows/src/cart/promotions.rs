//! The promotions of a cart: the description of a cart that they look at, their discounts, and the flow by
//! which a buyer gives and takes back codes.

use std::collections::BTreeMap;

use atoll_cart::{Cart, LineItem, ShippingMethod};
use atoll_checkout::{
    Adjustment, Attributes, Charged, Discount, Priced, PricedCart, Promoted, PromotionDiscount, PromotionUse,
    Tax, TaxLine, TaxLines,
};
use atoll_customer::groups_of;
use atoll_fulfillment::SHIPPING_OPTIONS;
use atoll_kernel::{
    Decimal, Fault, Moment, Read, StoreError, Write, flow, flow::Local, limits::CART_CODES_MAX,
};
use atoll_product::PRODUCTS;
use atoll_promotion::{BY_CODE, Offers, PROMOTIONS, Usage, apply, use_promotion};

use crate::cart::{Scoped, line::cart_in, settle::settle};
use crate::points::{CART_UPDATED, OfCart, PRICE_LINE, PRICE_SHIPPING, VALIDATE_CART};

/// What becomes of the codes of a cart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CodeChange {
    /// They are added to those of the cart.
    #[default]
    Add,
    /// They are removed. Unknown ones are ignored.
    Remove,
    /// They replace those of the cart.
    Replace,
}

/// Codes of promotions that a buyer gives.
#[derive(Clone, Debug, Default)]
pub struct UpdateCodes {
    /// The cart.
    pub cart_id: String,
    /// The codes, in exact case.
    pub codes: Vec<String>,
    /// What becomes of them.
    pub change: CodeChange,
}

flow! {
    /// Changes the codes of a cart. A code that no promotion has is refused; one that does not apply, or not
    /// yet, is kept, and applies as soon as it can. Event: `cart.updated`.
    pub static UPDATE_CART_PROMOTIONS: Flow<Scoped<UpdateCodes>, Cart> =
        "update-cart-promotions" (update), hooks: &[&VALIDATE_CART, &PRICE_LINE, &PRICE_SHIPPING, &CART_UPDATED];
}

fn update(flow: &mut Local<'_>, Scoped { scope, input }: Scoped<UpdateCodes>) -> Result<Cart, Fault> {
    flow.hook(&VALIDATE_CART, || OfCart::of(&input.cart_id))?;
    let before = cart_in(flow.tx, &scope, &input.cart_id)?;
    before.check_open()?;
    let mut cart = before.clone();
    change_codes(flow.tx, &mut cart, &input.codes, input.change)?;
    settle(flow, Some(&before), cart)
}

/// Changes the codes of a cart. Errors: no promotion has a code that is given; there are too many.
pub(super) fn change_codes(
    tx: &dyn Read,
    cart: &mut Cart,
    codes: &[String],
    change: CodeChange,
) -> Result<(), Fault> {
    if change == CodeChange::Remove {
        cart.promo_codes.retain(|it| !codes.contains(it));
        return Ok(());
    }
    if change == CodeChange::Replace {
        cart.promo_codes.clear();
    }
    // A body has room for some hundred thousand codes: each is compared with the few of the cart, and looked
    // up once.
    let mut given: Vec<&String> = Vec::new();
    for code in codes {
        if given.contains(&code) {
            continue;
        }
        given.push(code);
        if !cart.promo_codes.contains(code) {
            cart.promo_codes.push(code.clone());
        }
        if cart.promo_codes.len() > CART_CODES_MAX {
            return Err(Fault::invalid(format!("A cart takes at most {CART_CODES_MAX} promotion codes")));
        }
    }
    if !PROMOTIONS.is_on() {
        cart.promo_codes.clear();
        return Ok(());
    }
    for code in given {
        if PROMOTIONS.table.id_by(tx, &BY_CODE, &[code])?.is_none() {
            return Err(Fault::invalid(format!("The promotion code {code} is invalid")));
        }
    }
    Ok(())
}

/// The promotions that may apply to a cart, and what they look at.
pub(super) struct Promotions {
    offers: Offers,
    priced: PricedCart,
}

impl Promotions {
    /// Those of the cart's codes, and the automatic ones, for a buyer in these groups. None costs but one
    /// read if there is none.
    pub(super) fn of(
        tx: &dyn Read,
        cart: &Cart,
        groups: &[String],
        taxes: &TaxLines,
    ) -> Result<Promotions, StoreError> {
        let mut promotions = Promotions { offers: Offers::default(), priced: PricedCart::default() };
        if !PROMOTIONS.is_on() {
            return Ok(promotions);
        }
        let attributes = attributes_of(cart, groups);
        promotions.offers = Offers::read(tx, &cart.currency_code, &attributes, &cart.promo_codes)?;
        if promotions.offers.is_empty() {
            return Ok(promotions);
        }
        let lines = cart.items.iter().map(|it| priced_line(tx, it, taxes));
        promotions.priced = PricedCart {
            currency_code: cart.currency_code.clone(),
            attributes,
            lines: lines.collect::<Result<_, _>>()?,
            shipping_methods: Vec::new(),
        };
        Ok(promotions)
    }

    /// The discounts on the cart with these shipping methods.
    pub(super) fn apply(
        &mut self,
        tx: &dyn Read,
        at: &Moment,
        methods: &[ShippingMethod],
        taxes: &TaxLines,
    ) -> Result<Discounts, StoreError> {
        if self.offers.is_empty() {
            return Ok(Discounts::default());
        }
        let methods = methods.iter().map(|it| priced_method(tx, it, taxes));
        self.priced.shipping_methods = methods.collect::<Result<_, _>>()?;
        Ok(Discounts::of(apply(&self.priced, &self.offers, at.now())))
    }
}

/// Discounts by the ids of lines and shipping methods, and the promotions that gave them.
#[derive(Default)]
pub(super) struct Discounts {
    by_target: BTreeMap<String, Vec<Adjustment>>,
    pub(super) promotion_ids: Vec<String>,
}

impl Discounts {
    fn of(promoted: Promoted) -> Discounts {
        let mut discounts = Discounts::default();
        for it in promoted.lines.into_iter().chain(promoted.shipping_methods) {
            if !discounts.promotion_ids.contains(&it.promotion_id) {
                discounts.promotion_ids.push(it.promotion_id.clone());
            }
            let PromotionDiscount { target_id, promotion_id, code, amount, is_tax_inclusive } = it;
            discounts.by_target.entry(target_id).or_default().push(Adjustment {
                code: Some(code),
                promotion_id: Some(promotion_id),
                discount: Discount { amount, is_tax_inclusive },
                ..Adjustment::default()
            });
        }
        discounts
    }

    /// The discounts on a line or a shipping method.
    pub(super) fn take(&mut self, target: &str) -> Vec<Adjustment> {
        self.by_target.remove(target).unwrap_or_default()
    }
}

/// Attributes by which rules tell carts apart.
fn attributes_of(cart: &Cart, groups: &[String]) -> Attributes {
    let address = cart.shipping_address.as_ref();
    Attributes::default()
        .with("customer.groups.id", groups.iter().cloned())
        .with_some("customer.id", cart.customer_id.as_deref())
        .with_some("email", cart.email.as_deref())
        .with_some("region.id", cart.region_id.as_deref())
        .with_some("sales_channel_id", cart.sales_channel_id.as_deref())
        .with("currency_code", [cart.currency_code.as_str()])
        .with_some("shipping_address.country_code", address.and_then(|it| it.country_code.as_deref()))
        .with_some("shipping_address.province", address.and_then(|it| it.province.as_deref()))
        .with_some("shipping_address.postal_code", address.and_then(|it| it.postal_code.as_deref()))
}

fn priced_line(tx: &dyn Read, line: &LineItem, taxes: &TaxLines) -> Result<Priced, StoreError> {
    let product = line.product_id.as_deref().map(|id| PRODUCTS.get(tx, id)).transpose()?.flatten();
    let mut attributes = Attributes::default()
        .with_some("items.product.id", line.product_id.as_deref())
        .with_some("items.variant_id", line.variant_id.as_deref());
    if let Some(product) = product {
        attributes = attributes
            .with_some("items.product.collection_id", product.collection_id.as_deref())
            .with_some("items.product.type_id", product.type_id.as_deref())
            .with("items.product.categories.id", product.category_ids.iter().map(ToString::to_string))
            .with("items.product.tags.id", product.tag_ids.iter().map(ToString::to_string));
    }
    Ok(priced(line, &line.id, line.quantity, line.is_discountable, attributes, taxes))
}

fn priced_method(tx: &dyn Read, method: &ShippingMethod, taxes: &TaxLines) -> Result<Priced, StoreError> {
    let id = method.shipping_option_id.as_deref();
    let stored = id.filter(|_| SHIPPING_OPTIONS.is_on());
    let option = stored.map(|id| SHIPPING_OPTIONS.get(tx, id)).transpose()?.flatten();
    let kind = option.as_ref().map(|it| &*it.shipping_option_type_id);
    let attributes = Attributes::default()
        .with_some("shipping_methods.shipping_option_id", id)
        .with_some("shipping_methods.shipping_option.shipping_option_type_id", kind);
    Ok(priced(method, &method.id, Decimal::ONE, true, attributes, taxes))
}

fn priced(
    charged: &impl Charged,
    id: &str,
    quantity: Decimal,
    is_discountable: bool,
    attributes: Attributes,
    taxes: &TaxLines,
) -> Priced {
    let rates = taxes.get(id).map(Vec::as_slice).unwrap_or_default();
    let tax = Tax::of(rates.iter().map(|it: &TaxLine| it.rate));
    let split = tax.split(charged.amount(), charged.is_tax_inclusive());
    Priced {
        id: id.to_owned(),
        quantity,
        subtotal: split.net,
        total: split.gross(),
        is_discountable,
        attributes,
    }
}

/// Counts that the order of a cart uses its promotions. Error: one cannot be used any more.
pub(super) fn use_promotions(
    tx: &mut dyn Write,
    at: &Moment,
    cart: &Cart,
) -> Result<Vec<PromotionUse>, Fault> {
    if cart.promotion_ids.is_empty() {
        return Ok(Vec::new());
    }
    let attributes = attributes_of(cart, &groups_of(tx, cart.customer_id.as_deref())?);
    let lines = cart.items.iter().flat_map(|it| it.adjustments.iter().map(|it| it.plain()));
    let methods = cart.shipping_methods.iter().flat_map(|it| it.adjustments.iter().map(|it| it.plain()));
    let discounts: Vec<Adjustment> = lines.chain(methods).collect();
    let mut uses = Vec::with_capacity(cart.promotion_ids.len());
    for id in &cart.promotion_ids {
        let own = discounts.iter().filter(|it| it.promotion_id.as_ref() == Some(id));
        let amount = own.map(|it| it.discount.amount).sum();
        let usage = Usage { promotion_id: id, amount, currency_code: &cart.currency_code };
        uses.push(use_promotion(tx, at, &usage, &attributes)?);
    }
    Ok(uses)
}
