//! The states that are drawn, their records in a store, and the expected answers.

use atoll_cart::{CARTS, Cart, CartAddress, LineItem};
use atoll_inventory::{
    INVENTORY_ITEMS, INVENTORY_LEVELS, InventoryItem, InventoryLevel, ReservationItem, reserve,
};
use atoll_kernel::{Decimal, Fault, Moment, Timestamp, Write};
use atoll_links::{
    AVAILABLE_FROM, AVAILABLE_UNTIL, PRIORITY, PRODUCT_SALES_CHANNEL, PRODUCT_VARIANT_INVENTORY_ITEM,
    PRODUCT_VARIANT_PRICE_SET, SAFETY_STOCK, SALES_CHANNEL_EXCLUDED_VARIANT, SALES_CHANNEL_INVENTORY_LEVEL,
    SALES_CHANNEL_STOCK_LOCATION,
};
use atoll_pricing::{
    LIST_PRICES, ListPrice, PRICE_LISTS, PRICE_SETS, Price, PriceList, PriceListStatus, PriceListType,
    PriceSet, Rules,
};
use atoll_product::{
    PRODUCTS, Product, ProductStatus, ProductVariant, VARIANTS, delete_product, delete_variant,
};
use atoll_sales_channel::{SALES_CHANNELS, SalesChannelPatch};
use atoll_stock_location::{STOCK_LOCATIONS, StockLocation};
use atoll_tax::{
    NewTaxRate, NewTaxRegion, NewTaxRule, Reference, SYSTEM, TaxRate, TaxRegion, create_rate, create_region,
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Edges of windows, in milliseconds after the page was created.
pub(super) const EDGES: [i64; 3] = [10, 20, 30];
const N_PLACES: usize = 2;
/// Number of states per page.
pub(super) const N_STATES: usize = 50;

/// One millisecond before each edge, at it, and one after.
pub(super) fn moments() -> impl Iterator<Item = i64> {
    EDGES.into_iter().flat_map(|edge| [edge - 1, edge, edge + 1])
}

/// A channel, its locations and its listing.
#[derive(Clone, Debug)]
pub(super) struct Page {
    channel: ChannelState,
    places: [Place; N_PLACES],
    pub(super) taxes: Taxes,
    pub(super) states: Vec<State>,
    /// The time up to which the listing was swept.
    pub(super) swept: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ChannelState {
    Open,
    Disabled,
    Deleted,
}

/// A location, as the channel uses it.
#[derive(Clone, Debug)]
struct Place {
    is_linked: bool,
    priority: i64,
    safety_stock: i64,
}

/// The taxes of Germany, where all buyers are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taxes {
    /// The default rate, in percent. None: the country has no tax region.
    percent: Option<i64>,
    /// Do prices in euros include taxes, and those for the region?
    pub(super) of_currency: bool,
    pub(super) of_region: bool,
}

/// Who looks and buys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Buyer {
    Guest,
    /// A customer who is logged in, and in a group.
    Member,
}

/// Everything that decides whether a quantity of a variant can be bought in the channel, and what it costs.
#[derive(Clone, Debug)]
pub(super) struct State {
    status: ProductStatus,
    is_product_deleted: bool,
    is_variant_deleted: bool,
    is_linked: bool,
    from: Option<i64>,
    until: Option<i64>,
    is_excluded: bool,
    has_price: bool,
    is_giftcard: bool,
    /// The tax rate of the product, in percent; none: the default one.
    own_percent: Option<i64>,
    /// Whose carts it is in.
    pub(super) buyer: Buyer,
    /// Prices before and after the change, and its time.
    prices: (i64, i64),
    pub(super) repriced_at: i64,
    list: Option<ListState>,
    is_counted: bool,
    allow_backorder: bool,
    parts: Vec<Part>,
    pub(super) quantity: i64,
    /// Time at which it is looked at and added to a cart, and time at which a cart with it is completed.
    pub(super) added_at: i64,
    pub(super) completed_at: i64,
}

/// A price list with a price for the variant.
#[derive(Clone, Debug)]
struct ListState {
    kind: PriceListType,
    status: PriceListStatus,
    amount: i64,
    from: Option<i64>,
    until: Option<i64>,
    /// Is it of this channel, or of another one? None: of all.
    is_of_channel: Option<bool>,
    /// Is it of the group of the customer, or of another one? None: of all.
    is_of_group: Option<bool>,
    /// Is its price for the region?
    is_for_region: bool,
}

impl ListState {
    fn applies(&self, at: i64, buyer: Buyer) -> bool {
        self.status == PriceListStatus::Active
            && self.is_of_channel != Some(false)
            && self.is_of_group.is_none_or(|it| it && buyer == Buyer::Member)
            && self.from.is_none_or(|from| at >= from)
            && self.until.is_none_or(|until| at < until)
    }
}

/// Quantity of an item per variant, and its levels by location.
#[derive(Clone, Debug)]
struct Part {
    required: i64,
    levels: [Option<Level>; N_PLACES],
}

/// Quantities of an item at a location.
#[derive(Clone, Copy, Debug)]
struct Level {
    stocked: i64,
    reserved: i64,
    /// The safety stock of the item in the channel, instead of that of the location.
    safety_stock: Option<i64>,
}

fn mostly() -> impl Strategy<Value = bool> {
    prop::bool::weighted(0.9)
}

fn rarely() -> impl Strategy<Value = bool> {
    prop::bool::weighted(0.1)
}

fn moment() -> impl Strategy<Value = i64> {
    prop::sample::select(moments().collect::<Vec<_>>())
}

fn state() -> impl Strategy<Value = State> {
    let status = prop_oneof![
        6 => Just(ProductStatus::Published),
        1 => prop::sample::select(vec![ProductStatus::Draft, ProductStatus::Proposed, ProductStatus::Rejected]),
    ];
    let edge = || prop::option::weighted(0.4, prop::sample::select(EDGES.to_vec()));
    let product = (status, rarely(), rarely(), mostly(), edge(), edge());
    let level = || {
        let level = (0..9i64, 0..4i64, prop::option::weighted(0.3, 0..4i64));
        let level =
            level.prop_map(|(stocked, reserved, safety_stock)| Level { stocked, reserved, safety_stock });
        prop::option::weighted(0.8, level)
    };
    let part = (1..3i64, [level(), level()]).prop_map(|(required, levels)| Part { required, levels });
    let backorder = prop::bool::weighted(0.3);
    let variant = (rarely(), mostly(), mostly(), backorder, prop::collection::vec(part, 0..3), 1..5i64);
    // A free cart needs no payment.
    let free = |weight| prop_oneof![weight => Just(0_i64), 1 => Just(5_i64)];
    let moments = (moment(), moment(), moment());
    let kind = prop::sample::select(vec![PriceListType::Sale, PriceListType::Override]);
    let status = prop_oneof![4 => Just(PriceListStatus::Active), 1 => Just(PriceListStatus::Draft)];
    let amount = prop::sample::select(vec![0_i64, 3, 9]);
    let of = || prop::option::weighted(0.5, mostly());
    let list = (kind, status, amount, edge(), edge(), of(), of(), any::<bool>());
    let list = list.prop_map(|drawn| {
        let (kind, status, amount, from, until, is_of_channel, is_of_group, is_for_region) = drawn;
        ListState { kind, status, amount, from, until, is_of_channel, is_of_group, is_for_region }
    });
    let taxes = (rarely(), prop::option::weighted(0.3, prop::sample::select(vec![0_i64, 7])));
    let buyer = prop::sample::select(vec![Buyer::Guest, Buyer::Member]);
    let prices = (free(9), free(3), prop::option::weighted(0.4, list));
    (product, variant, prices, moments, taxes, buyer).prop_map(|drawn| {
        let (product, variant, prices, moments, (is_giftcard, own_percent), buyer) = drawn;
        let (before, after, list) = prices;
        let (added_at, completed_at, repriced_at) = moments;
        let (status, is_product_deleted, is_variant_deleted, is_linked, from, until) = product;
        let (is_excluded, has_price, is_counted, allow_backorder, parts, quantity) = variant;
        State {
            status,
            is_product_deleted,
            is_variant_deleted,
            is_linked,
            from,
            until,
            is_excluded,
            has_price,
            is_giftcard,
            own_percent,
            buyer,
            prices: (before, after),
            repriced_at,
            list,
            is_counted,
            allow_backorder,
            parts,
            quantity,
            added_at,
            completed_at,
        }
    })
}

pub(super) fn page() -> impl Strategy<Value = Page> {
    let channel = prop_oneof![
        8 => Just(ChannelState::Open),
        1 => Just(ChannelState::Disabled),
        1 => Just(ChannelState::Deleted),
    ];
    let place = || {
        let place = (prop::bool::weighted(0.7), 0..2i64, 0..3i64);
        place.prop_map(|(is_linked, priority, safety_stock)| Place { is_linked, priority, safety_stock })
    };
    let percent = prop::option::weighted(0.9, prop::sample::select(vec![0_i64, 19, 20]));
    let taxes = (percent, any::<bool>(), any::<bool>());
    let taxes = taxes.prop_map(|(percent, of_currency, of_region)| Taxes { percent, of_currency, of_region });
    let states = prop::collection::vec(state(), 1..=N_STATES);
    (channel, [place(), place()], taxes, states, prop::option::of(moment()))
        .prop_map(|(channel, places, taxes, states, swept)| Page { channel, places, taxes, states, swept })
}

/// The expected answers, computed independently of the code.
impl Page {
    fn shows_product(&self, state: &State, at: i64) -> bool {
        self.channel == ChannelState::Open
            && state.status == ProductStatus::Published
            && !state.is_product_deleted
            && state.is_linked
            && state.from.is_none_or(|from| at >= from)
            && state.until.is_none_or(|until| at < until)
    }

    pub(super) fn lists(&self, state: &State, at: i64) -> bool {
        self.shows_product(state, at)
    }

    pub(super) fn shows_variant(&self, state: &State, at: i64) -> bool {
        self.shows_product(state, at) && !state.is_variant_deleted && !state.is_excluded
    }

    /// At any price.
    pub(super) fn sells(&self, state: &State, at: i64) -> bool {
        self.shows_variant(state, at) && self.has_enough(state)
    }

    pub(super) fn sells_at_a_price(&self, state: &State, at: i64) -> bool {
        self.sells(state, at) && self.price(state, at, state.buyer).is_some()
    }

    /// The result of completing a cart to which it was added when the page was created, without a payment:
    /// the first time, and again.
    pub(super) fn completes(&self, state: &State, at: i64) -> [Completed; 2] {
        let is_sold = |price: Cost| match price.amount {
            0 if self.has_enough(state) => Completed::Order,
            _ => Completed::Refused,
        };
        match self.price(state, at, state.buyer) {
            Some(_) if !self.shows_variant(state, at) => [Completed::Refused; 2],
            None => [Completed::Refused; 2],
            Some(price)
                if (price.amount, price.is_tax_inclusive) != (state.prices.0, self.taxes.of_currency) =>
            {
                [Completed::Repriced, is_sold(price)]
            }
            Some(price) => [is_sold(price); 2],
        }
    }

    /// Its price without lists.
    fn base_price(&self, state: &State, at: i64) -> Option<i64> {
        let (before, after) = state.prices;
        state.has_price.then_some(if at < state.repriced_at { before } else { after })
    }

    /// Its price.
    pub(super) fn price(&self, state: &State, at: i64, buyer: Buyer) -> Option<Cost> {
        let base = self.base_price(state, at).map(|it| self.cost(state, it, self.taxes.of_currency));
        let Some(list) = state.list.as_ref().filter(|it| it.applies(at, buyer)) else { return base };
        let is_tax_inclusive = if list.is_for_region { self.taxes.of_region } else { self.taxes.of_currency };
        let listed = self.cost(state, list.amount, is_tax_inclusive);
        match base.filter(|base| list.kind == PriceListType::Sale && base.amount <= list.amount) {
            Some(base) => Some(base),
            None => Some(listed),
        }
    }

    fn cost(&self, state: &State, amount: i64, is_tax_inclusive: bool) -> Cost {
        // Gift cards are not taxed, and nothing is in a country without a tax region.
        let percent = self.taxes.percent.filter(|_| !state.is_giftcard);
        let percent = percent.map_or(0, |default| state.own_percent.unwrap_or(default));
        Cost { amount, percent, is_tax_inclusive }
    }

    fn has_enough(&self, state: &State) -> bool {
        if !state.is_counted {
            return true;
        }
        let has_place = self.places.iter().any(|place| place.is_linked);
        if state.allow_backorder {
            return has_place || state.parts.is_empty();
        }
        let is_enough = |part: &Part| {
            let is_stocked =
                self.places.iter().zip(part.levels).any(|(it, level)| it.is_linked && level.is_some());
            is_stocked && self.there(part) >= part.required * state.quantity
        };
        !state.parts.is_empty() && state.parts.iter().all(is_enough)
    }

    /// Available quantity of an item at the locations of the channel.
    fn there(&self, part: &Part) -> i64 {
        let at_place = |(place, level): (&Place, Option<Level>)| match level {
            Some(Level { stocked, reserved, safety_stock }) if place.is_linked => {
                (stocked - reserved - safety_stock.unwrap_or(place.safety_stock)).max(0)
            }
            _ => 0,
        };
        self.places.iter().zip(part.levels).map(at_place).sum()
    }

    /// Available whole units; null if stock is not managed.
    pub(super) fn available(&self, state: &State) -> Value {
        if !state.is_counted || state.parts.is_empty() {
            return Value::Null;
        }
        json!(state.parts.iter().map(|part| self.there(part) / part.required).min())
    }
}

/// What one piece costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cost {
    pub(super) amount: i64,
    percent: i64,
    pub(super) is_tax_inclusive: bool,
}

impl Cost {
    /// So many pieces with taxes, and without.
    pub(super) fn of(self, quantity: i64) -> [f64; 2] {
        let hundredths = |all: i64| all as f64 / 100.0;
        let (all, percent) = (self.amount * quantity, self.percent);
        match self.is_tax_inclusive {
            true => [hundredths(all * 100), (all * 100) as f64 / (100 + percent) as f64],
            false => [hundredths(all * (100 + percent)), hundredths(all * 100)],
        }
    }
}

/// The result of completing a cart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Completed {
    Order,
    /// 409: the cart got new prices.
    Repriced,
    Refused,
}

/// Ids of the records of a state.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) product: String,
    pub(super) variant: String,
    /// A cart that is empty.
    pub(super) cart: String,
    /// A cart that got the variant while it was for sale.
    pub(super) full_cart: String,
}

/// What is there before a page is made, by its ids.
#[derive(Clone, Debug)]
pub(super) struct Ground {
    pub(super) channel: String,
    pub(super) region: String,
    /// The customer, and their group.
    pub(super) member: String,
    pub(super) group: String,
}

/// Creates the records of a page.
pub(super) fn make(tx: &mut dyn Write, at: &Moment, page: &Page, on: &Ground) -> Result<Vec<Made>, Fault> {
    let channel = &on.channel;
    let tax_region = match page.taxes.percent {
        Some(percent) => Some(make_tax_region(tx, at, percent)?),
        None => None,
    };
    let mut places = Vec::new();
    for place in &page.places {
        let location = STOCK_LOCATIONS.create(tx, at, StockLocation::default())?.id.to_string();
        if place.is_linked {
            let terms = [(PRIORITY, place.priority), (SAFETY_STOCK, place.safety_stock)];
            SALES_CHANNEL_STOCK_LOCATION.attach(tx, at, channel, &location, columns(terms))?;
        }
        places.push(location);
    }
    let mut made = Vec::new();
    for state in &page.states {
        let one = make_state(tx, at, state, page.taxes, on, &places)?;
        if let (Some(region), Some(percent)) = (&tax_region, state.own_percent) {
            let rule = NewTaxRule { reference: Reference::Product, reference_id: one.product.clone() };
            let rate = TaxRate { tax_region_id: region.clone(), ..rate_of(percent) };
            create_rate(tx, at, NewTaxRate { rate, rules: vec![rule] })?;
        }
        made.push(one);
    }
    match page.channel {
        ChannelState::Open => {}
        ChannelState::Disabled => {
            let patch = SalesChannelPatch { is_disabled: Some(true), ..SalesChannelPatch::default() };
            SALES_CHANNELS.update(tx, at, channel, patch)?;
        }
        ChannelState::Deleted => drop(SALES_CHANNELS.soft_delete(tx, at, channel)?),
    }
    Ok(made)
}

fn make_tax_region(tx: &mut dyn Write, at: &Moment, percent: i64) -> Result<String, Fault> {
    let region =
        TaxRegion { country_code: "de".into(), provider_id: Some(SYSTEM.to_owned()), ..TaxRegion::default() };
    let default_rate = Some(TaxRate { is_default: true, ..rate_of(percent) });
    Ok(create_region(tx, at, NewTaxRegion { region, default_rate })?.id.to_string())
}

fn rate_of(percent: i64) -> TaxRate {
    TaxRate { rate: Some(percent.into()), code: "vat".into(), name: "VAT".into(), ..TaxRate::default() }
}

fn columns<T: serde::Serialize>(values: impl IntoIterator<Item = (&'static str, T)>) -> Map<String, Value> {
    values.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect()
}

fn make_state(
    tx: &mut dyn Write,
    at: &Moment,
    state: &State,
    taxes: Taxes,
    on: &Ground,
    places: &[String],
) -> Result<Made, Fault> {
    let channel = &on.channel;
    let id = at.id::<Product>();
    let product = Product {
        id: id.clone(),
        handle: id.to_string(),
        status: state.status,
        is_giftcard: state.is_giftcard,
        ..Product::default()
    };
    let product = PRODUCTS.create(tx, at, product)?.id;
    let variant = ProductVariant {
        product_id: product.clone(),
        manage_inventory: state.is_counted,
        allow_backorder: state.allow_backorder,
        ..ProductVariant::default()
    };
    let variant = VARIANTS.create(tx, at, variant)?.id.to_string();
    for part in &state.parts {
        let item = INVENTORY_ITEMS.create(tx, at, InventoryItem::default())?.id;
        let required = columns([("required_quantity", part.required)]);
        PRODUCT_VARIANT_INVENTORY_ITEM.attach(tx, at, &variant, &item, required)?;
        for (location, level) in places.iter().zip(part.levels) {
            let Some(Level { stocked, reserved, safety_stock }) = level else { continue };
            let level = InventoryLevel {
                inventory_item_id: item.clone(),
                location_id: location.clone(),
                stocked_quantity: stocked.into(),
                ..InventoryLevel::default()
            };
            let level = INVENTORY_LEVELS.create(tx, at, level)?.id;
            if let Some(quantity) = safety_stock {
                let columns = columns([(SAFETY_STOCK, quantity)]);
                SALES_CHANNEL_INVENTORY_LEVEL.attach(tx, at, channel, &level, columns)?;
            }
            if reserved > 0 {
                let promise = ReservationItem {
                    inventory_item_id: item.clone(),
                    location_id: location.clone(),
                    quantity: reserved.into(),
                    allow_backorder: true,
                    ..ReservationItem::default()
                };
                reserve(tx, at, promise)?;
            }
        }
    }
    if state.has_price || state.list.is_some() {
        let prices = state.has_price.then(|| price_of(state.prices.0)).into_iter().collect();
        let set = PRICE_SETS.create(tx, at, PriceSet { prices, ..PriceSet::default() })?;
        PRODUCT_VARIANT_PRICE_SET.attach(tx, at, &variant, &set.id, Map::new())?;
        if let Some(list) = &state.list {
            make_list(tx, at, list, on, &set.id)?;
        }
    }
    if state.is_linked {
        let moment = |edge: Option<i64>| edge.map(|it| at.now().plus_millis(it));
        let window = [(AVAILABLE_FROM, moment(state.from)), (AVAILABLE_UNTIL, moment(state.until))];
        PRODUCT_SALES_CHANNEL.attach(tx, at, &product, channel, columns::<Option<Timestamp>>(window))?;
    }
    if state.is_excluded {
        SALES_CHANNEL_EXCLUDED_VARIANT.attach(tx, at, channel, &variant, Map::new())?;
    }
    let line = LineItem {
        variant_id: Some(variant.clone()),
        product_id: Some(product.to_string()),
        quantity: Decimal::from(state.quantity),
        unit_price: Decimal::from(state.prices.0),
        is_tax_inclusive: taxes.of_currency,
        ..LineItem::default()
    };
    let of_buyer = Cart {
        currency_code: "eur".into(),
        sales_channel_id: Some(channel.clone()),
        region_id: Some(on.region.clone()),
        customer_id: (state.buyer == Buyer::Member).then(|| on.member.clone()),
        ..Cart::default()
    };
    let germany = CartAddress { country_code: Some("de".into()), ..CartAddress::default() };
    let empty = Cart { shipping_address: Some(germany), ..of_buyer.clone() };
    // Without an address it has no taxes, so that one for nothing needs no payment.
    let full = Cart { items: vec![line], ..of_buyer };
    let mut create = |cart: Cart| Ok::<_, Fault>(CARTS.create(tx, at, cart)?.id.to_string());
    let (cart, full_cart) = (create(empty)?, create(full)?);
    if state.is_variant_deleted {
        delete_variant(tx, at, &variant)?;
    }
    if state.is_product_deleted {
        delete_product(tx, at, &product)?;
    }
    Ok(Made { product: product.to_string(), variant, cart, full_cart })
}

fn make_list(
    tx: &mut dyn Write,
    at: &Moment,
    state: &ListState,
    on: &Ground,
    set: &str,
) -> Result<(), Fault> {
    let moment = |edge: Option<i64>| edge.map(|it| at.now().plus_millis(it));
    let of = |is_of: Option<bool>, name: &str, id: &str| {
        is_of.map(|it| (name.to_owned(), vec![if it { id } else { "other" }.to_owned()]))
    };
    let rules = [
        of(state.is_of_channel, "sales_channel_id", &on.channel),
        of(state.is_of_group, "customer.groups.id", &on.group),
    ];
    let list = PriceList {
        status: state.status,
        r#type: state.kind,
        starts_at: moment(state.from),
        ends_at: moment(state.until),
        rules: rules.into_iter().flatten().collect(),
        ..PriceList::default()
    };
    let rules_of_region = Rules::default().with("region_id", &on.region);
    let price = ListPrice {
        price_set_id: set.to_owned(),
        price_list_id: PRICE_LISTS.create(tx, at, list)?.id,
        currency_code: "eur".into(),
        amount: state.amount.into(),
        rules: if state.is_for_region { rules_of_region } else { Rules::default() },
        ..ListPrice::default()
    };
    LIST_PRICES.create(tx, at, price)?;
    Ok(())
}

fn price_of(amount: i64) -> Price {
    Price { currency_code: "eur".into(), amount: Decimal::from(amount), ..Price::default() }
}

/// Changes the price of a state.
pub(super) fn reprice(tx: &mut dyn Write, at: &Moment, state: &State, made: &Made) -> Result<(), Fault> {
    if !state.has_price {
        return Ok(());
    }
    for set in PRODUCT_VARIANT_PRICE_SET.rights(tx, &made.variant)? {
        PRICE_SETS.update(tx, at, &set, |it: &mut PriceSet| it.prices = vec![price_of(state.prices.1)])?;
    }
    Ok(())
}
