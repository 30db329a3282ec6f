//! Discounts of standard promotions: of each line, across lines in proportion, or once on the cheapest units.

use std::cmp::Ordering;

use atoll_kernel::Decimal;

use super::rest::{Rest, percent, share};
use crate::{Allocation, ApplicationMethod, MethodType, TargetType};

/// A discount on the line at this index.
pub(super) type Discounts = Vec<(usize, Decimal)>;

/// The discounts of a method on these lines, of those with the given indexes.
pub(super) fn discounts(
    method: &ApplicationMethod,
    is_tax_inclusive: bool,
    rests: &[Rest<'_>],
    targets: &[usize],
) -> Discounts {
    let allocation = match method.target_type {
        TargetType::Order => Allocation::Across,
        _ => method.allocation.unwrap_or(Allocation::Across),
    };
    match (allocation, method.r#type) {
        (Allocation::Across, MethodType::Percentage) => {
            let of = |at: usize| percent(rests[at].amount(is_tax_inclusive), method.value);
            targets.iter().map(|at| (*at, of(*at))).collect()
        }
        (Allocation::Across, MethodType::Fixed) => {
            let amounts: Vec<_> = targets.iter().map(|at| rests[*at].amount(is_tax_inclusive)).collect();
            targets.iter().copied().zip(shared(method.value, &amounts)).collect()
        }
        (Allocation::Each, _) => {
            let n_max = method.max_quantity;
            let units =
                |at: usize| n_max.map_or(rests[at].priced.quantity, |it| it.min(rests[at].priced.quantity));
            targets
                .iter()
                .map(|at| (*at, of_units(method, is_tax_inclusive, &rests[*at], units(*at))))
                .collect()
        }
        (Allocation::Once, _) => {
            let mut targets = targets.to_vec();
            targets.sort_by(|a, b| by_unit_price(&rests[*a], &rests[*b]));
            let mut n_left = method.max_quantity.unwrap_or(Decimal::ONE);
            let mut discounts = Vec::new();
            for at in targets {
                let n_units = n_left.min(rests[at].priced.quantity);
                n_left -= n_units;
                discounts.push((at, of_units(method, is_tax_inclusive, &rests[at], n_units)));
            }
            discounts
        }
    }
}

/// The discount on a number of units of a line: never more than what is left of them.
pub(super) fn of_units(
    method: &ApplicationMethod,
    is_tax_inclusive: bool,
    rest: &Rest<'_>,
    n_units: Decimal,
) -> Decimal {
    let left = rest.of_units(n_units, is_tax_inclusive);
    match method.r#type {
        MethodType::Percentage => percent(left, method.value),
        MethodType::Fixed => method.value.checked_mul(n_units).map_or(left, |it| it.min(left)),
    }
}

/// Orders lines by the price of a unit before discounts, the cheapest first; of the same price, as they are.
pub(super) fn by_unit_price(a: &Rest<'_>, b: &Rest<'_>) -> Ordering {
    let price = |it: &Rest<'_>| share(it.priced.subtotal, Decimal::ONE, it.priced.quantity);
    price(a).cmp(&price(b))
}

/// Shares a value out in proportion to these amounts. The shares add up to the value, or to all amounts if
/// these are less; none is larger than its amount.
pub(super) fn shared(value: Decimal, amounts: &[Decimal]) -> Vec<Decimal> {
    let sum: Decimal = amounts.iter().copied().sum();
    if value >= sum {
        return amounts.to_vec();
    }
    let mut shares: Vec<Decimal> = amounts.iter().map(|it| share(value, *it, sum).min(*it)).collect();
    // What rounding down has left over goes to the last ones that have room for it.
    let mut over = value - shares.iter().copied().sum();
    for (share, amount) in shares.iter_mut().zip(amounts).rev() {
        let more = over.min(*amount - *share);
        *share += more;
        over -= more;
    }
    shares
}
