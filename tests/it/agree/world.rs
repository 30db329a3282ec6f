//! The states that are drawn, their records in a store, and the expected answers.

use atoll_cart::{CARTS, Cart, LineItem};
use atoll_inventory::{
    INVENTORY_ITEMS, INVENTORY_LEVELS, InventoryItem, InventoryLevel, ReservationItem, reserve,
};
use atoll_kernel::{Decimal, Fault, Moment, Timestamp, Write};
use atoll_links::{
    AVAILABLE_FROM, AVAILABLE_UNTIL, PRIORITY, PRODUCT_SALES_CHANNEL, PRODUCT_VARIANT_INVENTORY_ITEM,
    PRODUCT_VARIANT_PRICE_SET, SAFETY_STOCK, SALES_CHANNEL_EXCLUDED_VARIANT, SALES_CHANNEL_STOCK_LOCATION,
};
use atoll_pricing::{
    LIST_PRICES, ListPrice, PRICE_LISTS, PRICE_SETS, Price, PriceList, PriceListStatus, PriceListType,
    PriceSet,
};
use atoll_product::{
    PRODUCTS, Product, ProductStatus, ProductVariant, VARIANTS, delete_product, delete_variant,
};
use atoll_sales_channel::{SALES_CHANNELS, SalesChannelPatch};
use atoll_stock_location::{STOCK_LOCATIONS, StockLocation};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Edges of windows, in milliseconds after the page was created.
const EDGES: [i64; 3] = [10, 20, 30];
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

/// Everything that decides whether a quantity of a variant can be bought in the channel.
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
}

impl ListState {
    fn applies(&self, at: i64) -> bool {
        self.status == PriceListStatus::Active
            && self.is_of_channel != Some(false)
            && self.from.is_none_or(|from| at >= from)
            && self.until.is_none_or(|until| at < until)
    }
}

/// Quantity of an item per variant, and its stocked and reserved quantities by location.
#[derive(Clone, Debug)]
struct Part {
    required: i64,
    levels: [Option<(i64, i64)>; N_PLACES],
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
    let level = || prop::option::weighted(0.8, (0..9i64, 0..4i64));
    let part = (1..3i64, [level(), level()]).prop_map(|(required, levels)| Part { required, levels });
    let backorder = prop::bool::weighted(0.3);
    let variant = (rarely(), mostly(), mostly(), backorder, prop::collection::vec(part, 0..3), 1..5i64);
    // A free cart needs no payment.
    let free = |weight| prop_oneof![weight => Just(0_i64), 1 => Just(5_i64)];
    let moments = (moment(), moment(), moment());
    let kind = prop::sample::select(vec![PriceListType::Sale, PriceListType::Override]);
    let status = prop_oneof![4 => Just(PriceListStatus::Active), 1 => Just(PriceListStatus::Draft)];
    let amount = prop::sample::select(vec![0_i64, 3, 9]);
    let list = (kind, status, amount, edge(), edge(), prop::option::weighted(0.5, mostly()));
    let list = list.prop_map(|(kind, status, amount, from, until, is_of_channel)| ListState {
        kind,
        status,
        amount,
        from,
        until,
        is_of_channel,
    });
    let prices = (free(9), free(3), prop::option::weighted(0.4, list));
    (product, variant, prices, moments).prop_map(|(product, variant, prices, moments)| {
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
    let states = prop::collection::vec(state(), 1..=N_STATES);
    (channel, [place(), place()], states, prop::option::of(moment()))
        .prop_map(|(channel, places, states, swept)| Page { channel, places, states, swept })
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
        self.sells(state, at) && self.price(state, at).is_some()
    }

    /// The result of completing a cart to which it was added when the page was created, without a payment:
    /// the first time, and again.
    pub(super) fn completes(&self, state: &State, at: i64) -> [Completed; 2] {
        let is_sold = |price: i64| match price {
            0 if self.has_enough(state) => Completed::Order,
            _ => Completed::Refused,
        };
        match self.price(state, at) {
            Some(_) if !self.shows_variant(state, at) => [Completed::Refused; 2],
            None => [Completed::Refused; 2],
            // The cart shows no former price, either.
            Some(price) if price != state.prices.0 || self.is_reduced(state, at) => {
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

    /// Is its price that of a sale, with a former price beside it?
    fn is_reduced(&self, state: &State, at: i64) -> bool {
        let is_sale = |it: &&ListState| it.applies(at) && it.kind == PriceListType::Sale;
        let sale = state.list.as_ref().filter(is_sale);
        sale.is_some_and(|sale| self.base_price(state, at).is_some_and(|base| sale.amount < base))
    }

    /// Its price.
    pub(super) fn price(&self, state: &State, at: i64) -> Option<i64> {
        let base = self.base_price(state, at);
        match state.list.as_ref().filter(|it| it.applies(at)) {
            None => base,
            Some(list) if list.kind == PriceListType::Override => Some(list.amount),
            Some(sale) => Some(base.map_or(sale.amount, |base| base.min(sale.amount))),
        }
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
        let at_place = |(place, level): (&Place, Option<(i64, i64)>)| match level {
            Some((stocked, reserved)) if place.is_linked => (stocked - reserved - place.safety_stock).max(0),
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

/// Creates the records of a page, in an existing channel.
pub(super) fn make(tx: &mut dyn Write, at: &Moment, page: &Page, channel: &str) -> Result<Vec<Made>, Fault> {
    let mut places = Vec::new();
    for place in &page.places {
        let location = STOCK_LOCATIONS.create(tx, at, StockLocation::default())?.id.to_string();
        if place.is_linked {
            let terms = [(PRIORITY, place.priority), (SAFETY_STOCK, place.safety_stock)];
            SALES_CHANNEL_STOCK_LOCATION.attach(tx, at, channel, &location, columns(terms))?;
        }
        places.push(location);
    }
    let made = page.states.iter().map(|state| make_state(tx, at, state, channel, &places));
    let made = made.collect::<Result<Vec<_>, _>>()?;
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

fn columns<T: serde::Serialize>(values: impl IntoIterator<Item = (&'static str, T)>) -> Map<String, Value> {
    values.into_iter().map(|(name, value)| (name.to_owned(), json!(value))).collect()
}

fn make_state(
    tx: &mut dyn Write,
    at: &Moment,
    state: &State,
    channel: &str,
    places: &[String],
) -> Result<Made, Fault> {
    let id = at.id::<Product>();
    let product =
        Product { id: id.clone(), handle: id.to_string(), status: state.status, ..Product::default() };
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
            let Some((stocked, reserved)) = level else { continue };
            let level = InventoryLevel {
                inventory_item_id: item.clone(),
                location_id: location.clone(),
                stocked_quantity: stocked.into(),
                ..InventoryLevel::default()
            };
            INVENTORY_LEVELS.create(tx, at, level)?;
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
            make_list(tx, at, list, channel, &set.id)?;
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
        ..LineItem::default()
    };
    let mut cart = |items: Vec<LineItem>| {
        let sales_channel_id = Some(channel.to_owned());
        let cart = Cart { currency_code: "eur".into(), sales_channel_id, items, ..Cart::default() };
        Ok::<_, Fault>(CARTS.create(tx, at, cart)?.id.to_string())
    };
    let (cart, full_cart) = (cart(Vec::new())?, cart(vec![line])?);
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
    channel: &str,
    set: &str,
) -> Result<(), Fault> {
    let moment = |edge: Option<i64>| edge.map(|it| at.now().plus_millis(it));
    let channel = state.is_of_channel.map(|it| if it { channel } else { "sc_other" }.to_owned());
    let list = PriceList {
        status: state.status,
        r#type: state.kind,
        starts_at: moment(state.from),
        ends_at: moment(state.until),
        rules: channel.map(|it| ("sales_channel_id".to_owned(), vec![it])).into_iter().collect(),
        ..PriceList::default()
    };
    let price = ListPrice {
        price_set_id: set.to_owned(),
        price_list_id: PRICE_LISTS.create(tx, at, list)?.id,
        currency_code: "eur".into(),
        amount: state.amount.into(),
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
