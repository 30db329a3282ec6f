//! Discounts of "buy so many, get so many" promotions: which units count as bought, and which are discounted.

use atoll_checkout::NotApplied;
use atoll_kernel::Decimal;

use super::{
    rest::Rest,
    rules::Rules,
    standard::{Discounts, by_unit_price, of_units},
};
use crate::ApplicationMethod;

/// Units of the lines that count as bought, and of those that can be discounted. A unit is one or the other.
struct Units {
    /// Of lines that count as bought only.
    bought: Decimal,
    /// Of lines that can be discounted only.
    got: Decimal,
    /// Of lines that are both.
    both: Decimal,
}

impl Units {
    /// How many units are left to be discounted when this many are bought: those that are both are bought
    /// last.
    fn left(&self, n_bought: Decimal) -> Decimal {
        let of_both = Decimal::ZERO.max(n_bought - self.bought);
        self.got + self.both - of_both
    }
}

/// The discounts of a method on these lines. `targets` are the indexes of lines that can be discounted.
pub(super) fn discounts(
    method: &ApplicationMethod,
    is_tax_inclusive: bool,
    rests: &[Rest<'_>],
    targets: &[usize],
) -> Result<Discounts, NotApplied> {
    let zero = Decimal::ZERO;
    let (Some(min), Some(per)) = (method.buy_rules_min_quantity, method.apply_to_quantity) else {
        return Err(NotApplied::NothingToDiscount);
    };
    let buy_rules = Rules::of(&method.buy_rules);
    let counts = |rest: &Rest<'_>| buy_rules.hold(&rest.priced.attributes);
    let mut units = Units { bought: zero, got: zero, both: zero };
    for (at, rest) in rests.iter().enumerate() {
        match (counts(rest), targets.contains(&at)) {
            (true, true) => units.both += rest.priced.quantity,
            (true, false) => units.bought += rest.priced.quantity,
            (false, true) => units.got += rest.priced.quantity,
            (false, false) => {}
        }
    }
    let n_times_max = (units.bought + units.both).div_floor(min).unwrap_or(zero);
    if n_times_max < Decimal::ONE {
        return Err(NotApplied::TooFewBought);
    }
    let n_got =
        most(&units, min, per, n_times_max).min(method.max_quantity.unwrap_or(units.got + units.both));
    if n_got <= zero {
        return Err(if units.both > zero { NotApplied::TooFewBought } else { NotApplied::NothingToDiscount });
    }
    // As few as are needed are bought: whole times.
    let n_times = match n_got.div_floor(per).unwrap_or(zero) {
        whole if whole * per == n_got => whole,
        whole => whole + Decimal::ONE,
    };
    let mut n_bought_of_both = zero.max(n_times * min - units.bought);

    // The cheapest are discounted; of lines that are both, the dearest are bought.
    let mut targets = targets.to_vec();
    targets.sort_by(|a, b| by_unit_price(&rests[*a], &rests[*b]));
    let mut n_free: Vec<Decimal> = targets.iter().map(|at| rests[*at].priced.quantity).collect();
    for (at, n_free) in targets.iter().zip(&mut n_free).rev() {
        if counts(&rests[*at]) {
            let n_units = n_bought_of_both.min(*n_free);
            *n_free -= n_units;
            n_bought_of_both -= n_units;
        }
    }
    let mut n_left = n_got;
    let mut discounts = Vec::new();
    for (at, n_free) in targets.into_iter().zip(n_free) {
        let n_units = n_left.min(n_free);
        n_left -= n_units;
        discounts.push((at, of_units(method, is_tax_inclusive, &rests[at], n_units)));
    }
    Ok(discounts)
}

/// The most units that can be discounted: `per` for each time that `min` are bought, as far as there are any.
/// Buying more often gives more, and leaves fewer.
fn most(units: &Units, min: Decimal, per: Decimal, n_times_max: Decimal) -> Decimal {
    let discounted = |n_times: Decimal| (n_times * per).min(units.left(n_times * min));
    // Up to here each time is given in full: the first bound is that nothing is bought of what can be
    // discounted, the second that each time takes both.
    let all = units.got + units.both;
    let without = all.div_floor(per).unwrap_or_default().min(units.bought.div_floor(min).unwrap_or_default());
    let with = (all + units.bought).div_floor(min + per).unwrap_or_default();
    let in_full = without.max(with).min(n_times_max);
    let once_more = (in_full + Decimal::ONE).min(n_times_max);
    discounted(in_full).max(discounted(once_more))
}
