//! What a drawn cart comes to, in exact fractions, calculated without the code: prices and sales, promotions
//! on items and on shipping, a shipping option that is cheaper from a total of the items on, and taxes.

use num_rational::Ratio;
use proptest::prelude::*;

use super::world::EDGES;

pub(super) type Amount = Ratio<i128>;

/// A shop, and what a buyer takes from it.
#[derive(Clone, Debug)]
pub(super) struct Till {
    /// The tax rate, in percent; none: the country has no tax region.
    pub(super) percent: Option<i64>,
    /// Do prices in euros include the tax, those of shipping as well?
    pub(super) is_tax_inclusive: bool,
    /// The two goods in the cart.
    pub(super) goods: [Good; 2],
    /// A sale of the first of them.
    pub(super) sale: Sale,
    /// Each has another value: the largest comes first.
    pub(super) on_items: Vec<Discount>,
    pub(super) on_shipping: Vec<Discount>,
    pub(super) shipping: Shipping,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Good {
    pub(super) price: i64,
    pub(super) quantity: i64,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Sale {
    pub(super) price: i64,
    pub(super) window: Window,
}

/// From when, inclusive, and until when, exclusive.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    pub(super) from: Option<i64>,
    pub(super) until: Option<i64>,
}

impl Window {
    fn is_open(self, at: i64) -> bool {
        self.from.is_none_or(|it| it <= at) && self.until.is_none_or(|it| at < it)
    }
}

/// A promotion.
#[derive(Clone, Copy, Debug)]
pub(super) struct Discount {
    /// Does it need its code?
    pub(super) has_code: bool,
    pub(super) is_active: bool,
    /// Is it of this channel, or of another one? None: of all.
    pub(super) is_of_channel: Option<bool>,
    /// Per cent, or euros.
    pub(super) is_percentage: bool,
    pub(super) value: i64,
    pub(super) is_tax_inclusive: bool,
    pub(super) reach: Reach,
    /// That of its campaign.
    pub(super) window: Window,
}

/// What a promotion discounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// So many units of each line.
    Each(i64),
    /// All items in proportion.
    Across,
    /// As `Across`.
    Order,
    /// The shipping method.
    Shipping,
}

impl Discount {
    fn applies(&self, at: i64) -> bool {
        self.is_active && self.is_of_channel != Some(false) && self.window.is_open(at)
    }

    /// What it takes, without taxes, from each of these charges without taxes, which stand before their
    /// quantities.
    fn takes(&self, charges: &[(Amount, i64)], factor: Amount) -> Vec<Amount> {
        let value = whole(self.value);
        let of_units = |(net, quantity): &(Amount, i64)| {
            let units = match self.reach {
                Reach::Each(n_max) => n_max.min(*quantity),
                _ => *quantity,
            };
            (net * whole(units) / whole(*quantity), units)
        };
        let charges: Vec<(Amount, i64)> = charges.iter().map(of_units).collect();
        let sum: Amount = charges.iter().map(|(net, _)| net).sum();
        // An amount with taxes takes less of what is without.
        let taxed = if self.is_tax_inclusive { factor } else { whole(1) };
        let of_charge = |(net, units): &(Amount, i64)| match self.reach {
            _ if self.is_percentage => net * value / whole(100),
            Reach::Each(_) => (value * whole(*units) / taxed).min(*net),
            _ if sum == whole(0) => sum,
            _ => (value / taxed).min(sum) * net / sum,
        };
        charges.iter().map(of_charge).collect()
    }

    /// Takes discounts off charges without taxes, each off what those before it have left; returns what they
    /// take together.
    fn take_all(discounts: &[Discount], at: i64, charges: &mut [(Amount, i64)], factor: Amount) -> Amount {
        let before: Amount = charges.iter().map(|(net, _)| net).sum();
        for discount in discounts.iter().filter(|it| it.applies(at)) {
            let takes = discount.takes(charges, factor);
            charges.iter_mut().zip(takes).for_each(|((net, _), takes)| *net -= takes);
        }
        before - charges.iter().map(|(net, _)| net).sum::<Amount>()
    }
}

/// A shipping option.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shipping {
    pub(super) price: i64,
    /// A lower price, and the total of the items from which on it counts.
    pub(super) lower: Option<(i64, i64)>,
}

/// What a cart comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sums {
    /// Price of the first good.
    pub(super) unit_price: i64,
    /// Price of the shipping option, as it is listed.
    pub(super) option: i64,
    pub(super) item_total: Amount,
    pub(super) shipping_total: Amount,
    pub(super) discount_total: Amount,
    pub(super) tax_total: Amount,
    pub(super) total: Amount,
}

impl Sums {
    /// The totals by their names on the wire.
    pub(super) fn totals(&self) -> [(&'static str, Amount); 5] {
        [
            ("item_total", self.item_total),
            ("shipping_total", self.shipping_total),
            ("discount_total", self.discount_total),
            ("tax_total", self.tax_total),
            ("total", self.total),
        ]
    }

    /// What is paid, in cents.
    pub(super) fn cents(&self) -> i128 {
        (self.total * whole(100)).round().to_integer()
    }
}

pub(super) fn whole(n: i64) -> Amount {
    Amount::from_integer(n.into())
}

impl Till {
    pub(super) fn unit_price(&self, at: i64) -> i64 {
        let price = self.goods[0].price;
        if self.sale.window.is_open(at) { price.min(self.sale.price) } else { price }
    }

    /// What the cart comes to at this time, with the shipping option.
    pub(super) fn sums(&self, at: i64) -> Sums {
        let factor = whole(100 + self.percent.unwrap_or(0)) / whole(100);
        let net = |price: i64| if self.is_tax_inclusive { whole(price) / factor } else { whole(price) };
        let unit_price = self.unit_price(at);
        let [first, second] = self.goods;
        let lines = [(unit_price, first.quantity), (second.price, second.quantity)];
        let mut lines = lines.map(|(price, quantity)| (net(price) * whole(quantity), quantity));
        let off_items = Discount::take_all(&self.on_items, at, &mut lines, factor);
        let items = lines[0].0 + lines[1].0;
        let item_total = items * factor;
        let lower = self.shipping.lower.filter(|(_, from)| item_total >= whole(*from));
        let option = lower.map_or(self.shipping.price, |(price, _)| price);
        let mut methods = [(net(option), 1)];
        let off_shipping = Discount::take_all(&self.on_shipping, at, &mut methods, factor);
        let [(shipping, _)] = methods;
        Sums {
            unit_price,
            option,
            item_total,
            shipping_total: shipping * factor,
            discount_total: (off_items + off_shipping) * factor,
            tax_total: (items + shipping) * (factor - whole(1)),
            total: (items + shipping) * factor,
        }
    }
}

fn window() -> impl Strategy<Value = Window> {
    let edge = || prop::option::weighted(0.6, prop::sample::select(EDGES.to_vec()));
    (edge(), edge()).prop_map(|(from, until)| match (from, until) {
        // A campaign that ends before it starts is refused.
        (Some(from), Some(until)) if from >= until => Window { from: Some(from), until: None },
        (from, until) => Window { from, until },
    })
}

fn discount(reach: impl Strategy<Value = Reach>) -> impl Strategy<Value = Discount> {
    let of = prop::option::weighted(0.3, prop::bool::weighted(0.7));
    let bools = (any::<bool>(), prop::bool::weighted(0.9), any::<bool>(), any::<bool>());
    (bools, of, reach, window()).prop_map(|(bools, is_of_channel, reach, window)| {
        let (has_code, is_active, is_percentage, is_tax_inclusive) = bools;
        let value = 0;
        Discount { has_code, is_active, is_of_channel, is_percentage, value, is_tax_inclusive, reach, window }
    })
}

/// Up to so many discounts, the one with the largest value first.
fn discounts(n_max: usize, reach: impl Strategy<Value = Reach>) -> impl Strategy<Value = Vec<Discount>> {
    let values = prop::sample::subsequence(vec![100_i64, 50, 33, 10, 7, 3, 1], 0..=n_max);
    (values, prop::collection::vec(discount(reach), n_max)).prop_map(|(values, discounts)| {
        values.into_iter().zip(discounts).map(|(value, it)| Discount { value, ..it }).collect()
    })
}

pub(super) fn till() -> impl Strategy<Value = Till> {
    let percent = prop::option::weighted(0.8, prop::sample::select(vec![0_i64, 7, 19, 20]));
    let good = || (1..60_i64, 1..5_i64).prop_map(|(price, quantity)| Good { price, quantity });
    let sale = (1..60_i64, window()).prop_map(|(price, window)| Sale { price, window });
    let each = (1..4_i64).prop_map(Reach::Each);
    let on_items = discounts(3, prop_oneof![each, Just(Reach::Across), Just(Reach::Order)]);
    let on_shipping = discounts(2, Just(Reach::Shipping));
    let shipping = (0..20_i64, prop::option::of((0..5_i64, 1..200_i64)));
    let shipping = shipping.prop_map(|(price, lower)| Shipping { price, lower });
    (percent, any::<bool>(), [good(), good()], sale, (on_items, on_shipping), shipping).prop_map(
        |(percent, is_tax_inclusive, goods, sale, (on_items, on_shipping), shipping)| Till {
            percent,
            is_tax_inclusive,
            goods,
            sale,
            on_items,
            on_shipping,
            shipping,
        },
    )
}
