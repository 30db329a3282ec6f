//! Discounts: the worked examples of the wire, and properties of drawn carts.

use atoll_checkout::{Attributes, NotApplied, Priced, PricedCart, Promoted};
use atoll_kernel::{Decimal, Timestamp};
use proptest::{collection::vec, prelude::*};

use super::{Offer, Offers, apply};
use crate::{
    Allocation, ApplicationMethod, BudgetType, Campaign, CampaignBudget, MethodType, Promotion,
    PromotionRule, PromotionStatus, PromotionType, RuleOperator, RuleValues, TargetType, uses::Left,
};

fn decimal(text: &str) -> Decimal {
    text.parse().expect(text)
}

fn rule(attribute: &str, operator: RuleOperator, values: &[&str]) -> PromotionRule {
    let values = RuleValues(values.iter().map(|it| (*it).to_owned()).collect());
    PromotionRule { attribute: attribute.into(), operator, values, ..PromotionRule::default() }
}

fn of_product(id: &str) -> Vec<PromotionRule> {
    vec![rule("items.product.id", RuleOperator::In, &[id])]
}

fn line(id: &str, quantity: u64, unit_price: &str, tax: &str) -> Priced {
    let quantity = Decimal::from(quantity);
    let subtotal = quantity * decimal(unit_price);
    Priced {
        id: id.into(),
        quantity,
        subtotal,
        total: subtotal * decimal(tax),
        is_discountable: true,
        attributes: Attributes::default().with("items.product.id", [id]),
    }
}

/// Two shirts, three mugs and a book, with taxes of 19, 0 and 7 per cent if there are any; shipped for 12.95.
fn cart(is_taxed: bool) -> PricedCart {
    let tax = |tax| if is_taxed { tax } else { "1" };
    PricedCart {
        currency_code: "eur".into(),
        attributes: Attributes::default().with("sales_channel_id", ["eu"]).with_some("email", Some("a@b.co")),
        lines: vec![
            line("shirt", 2, "20", tax("1.19")),
            line("mug", 3, "9.99", "1"),
            line("book", 1, "15.5", tax("1.07")),
        ],
        shipping_methods: vec![line("post", 1, "12.95", tax("1.19"))],
    }
}

fn across(kind: MethodType, value: &str) -> ApplicationMethod {
    ApplicationMethod {
        r#type: kind,
        value: decimal(value),
        target_type: TargetType::Items,
        allocation: Some(Allocation::Across),
        currency_code: Some("eur".to_owned()).filter(|_| kind == MethodType::Fixed),
        ..ApplicationMethod::default()
    }
}

fn limited(kind: MethodType, value: &str, allocation: Allocation, n_max: u64) -> ApplicationMethod {
    let max_quantity = Some(Decimal::from(n_max));
    ApplicationMethod { allocation: Some(allocation), max_quantity, ..across(kind, value) }
}

fn on(target_type: TargetType, method: ApplicationMethod) -> ApplicationMethod {
    ApplicationMethod { target_type, ..method }
}

fn promotion(code: &str, method: ApplicationMethod) -> Promotion {
    Promotion {
        id: format!("promo_{code}").as_str().into(),
        code: code.into(),
        status: PromotionStatus::Active,
        application_method: Some(method),
        ..Promotion::default()
    }
}

/// Buy so many shirts, get so many mugs for nothing, at most so many.
fn buyget(buy: &str, n_buy: u64, get: &str, n_get: u64, n_max: u64) -> Promotion {
    let method = ApplicationMethod {
        buy_rules_min_quantity: Some(Decimal::from(n_buy)),
        apply_to_quantity: Some(Decimal::from(n_get)),
        buy_rules: of_product(buy),
        target_rules: of_product(get),
        ..limited(MethodType::Percentage, "100", Allocation::Each, n_max)
    };
    Promotion { r#type: PromotionType::Buyget, ..promotion("B2G1", method) }
}

fn ten() -> Promotion {
    promotion("TEN", across(MethodType::Percentage, "10"))
}

fn order_9() -> Promotion {
    promotion("ORDER9", on(TargetType::Order, across(MethodType::Fixed, "9")))
}

fn each_2() -> Promotion {
    let method = limited(MethodType::Fixed, "2", Allocation::Each, 2);
    promotion("EACH2", ApplicationMethod { target_rules: of_product("shirt"), ..method })
}

fn offers(promotions: Vec<Promotion>) -> Offers {
    let offer = |promotion| Offer { promotion, campaign: None, left: Ok(Left::default()) };
    Offers { offers: promotions.into_iter().map(offer).collect(), unknown: Vec::new() }
}

fn now() -> Timestamp {
    Timestamp::from_millis(1_000_000)
}

/// The discounts as text, a line each: `CODE shirt 4`.
fn text(promoted: &Promoted) -> Vec<String> {
    let all = promoted.lines.iter().chain(&promoted.shipping_methods);
    all.map(|it| {
        let amount = it.amount.to_string();
        let short = amount.get(..17).unwrap_or(&amount);
        format!("{} {} {short}", it.code, it.target_id)
    })
    .collect()
}

#[track_caller]
fn check(cart: &PricedCart, promotions: Vec<Promotion>, expect: &[&str]) {
    assert_eq!(text(&apply(cart, &offers(promotions), now())), expect);
}

/// Why the promotion with this code is not applied.
#[track_caller]
fn refused(cart: &PricedCart, offers: &Offers, code: &str) -> NotApplied {
    let promoted = apply(cart, offers, now());
    assert_eq!(text(&promoted).iter().filter(|it| it.starts_with(code)).count(), 0);
    let outcome = promoted.outcomes.iter().find(|it| it.code == code).expect("an outcome");
    outcome.discount.expect_err("a refusal")
}

#[test]
fn discounts_are_those_of_the_wire() {
    let plain = cart(false);
    check(&plain, vec![ten()], &["TEN shirt 4", "TEN mug 2.997", "TEN book 1.55"]);
    check(
        &plain,
        vec![promotion("SEVEN", across(MethodType::Fixed, "7"))],
        &["SEVEN shirt 3.276003276003276", "SEVEN mug 2.454545454545454", "SEVEN book 1.269451269451269"],
    );
    check(
        &plain,
        vec![promotion("ORDER20", on(TargetType::Order, across(MethodType::Percentage, "20")))],
        &["ORDER20 shirt 8", "ORDER20 mug 5.994", "ORDER20 book 3.1"],
    );
    check(&plain, vec![each_2()], &["EACH2 shirt 4"]);
    let once = limited(MethodType::Percentage, "50", Allocation::Once, 1);
    check(&plain, vec![promotion("ONCE50", once)], &["ONCE50 mug 4.995"]);
    check(&plain, vec![buyget("shirt", 2, "mug", 1, 1)], &["B2G1 mug 9.99"]);
    check(
        &plain,
        vec![ten(), order_9(), each_2(), buyget("shirt", 2, "mug", 1, 1)],
        &[
            "B2G1 mug 9.99", "TEN shirt 4", "TEN mug 1.998", "TEN book 1.55",
            "ORDER9 shirt 4.769475357710651", "ORDER9 mug 2.382352941176470",
            "ORDER9 book 1.848171701112877", "EACH2 shirt 4",
        ],
    );
    let free = || on(TargetType::ShippingMethods, across(MethodType::Percentage, "100"));
    let ship_2 = || on(TargetType::ShippingMethods, limited(MethodType::Fixed, "2", Allocation::Each, 1));
    check(&plain, vec![promotion("SHIP2", ship_2())], &["SHIP2 post 2"]);
    check(&plain, vec![promotion("SHIP2", ship_2()), promotion("FREE", free())], &["FREE post 12.95"]);
    // With taxes, an amount without them is the same.
    check(&cart(true), vec![ten()], &["TEN shirt 4", "TEN mug 2.997", "TEN book 1.55"]);
    let taxed = on(TargetType::Order, across(MethodType::Fixed, "10"));
    check(
        &cart(true),
        vec![Promotion { is_tax_inclusive: true, ..promotion("TAXINC", taxed) }],
        &["TAXINC shirt 5.055493600977112", "TAXINC mug 3.183049227337900", "TAXINC book 1.761457171684987"],
    );
}

#[test]
fn units_that_are_bought_are_not_got() {
    let of = |quantity| PricedCart { lines: vec![line("shirt", quantity, "20", "1")], ..cart(false) };
    let total = |quantity, n_buy, n_get, n_max| {
        let offers = offers(vec![buyget("shirt", n_buy, "shirt", n_get, n_max)]);
        apply(&of(quantity), &offers, now()).lines.iter().map(|it| it.amount).sum::<Decimal>()
    };
    for (quantity, n_buy, n_get, n_max, n_free) in [
        (2, 2, 1, 9, 0_u64),
        (3, 2, 1, 9, 1),
        (5, 2, 1, 9, 1),
        (6, 2, 1, 9, 2),
        (6, 2, 1, 1, 1),
        (4, 1, 1, 9, 2),
        (5, 1, 1, 9, 2),
        (5, 1, 3, 9, 3),
        (3, 1, 3, 9, 2),
    ] {
        let expect = Decimal::from(20_u64) * Decimal::from(n_free);
        assert_eq!(total(quantity, n_buy, n_get, n_max), expect, "buy {n_buy} get {n_get} of {quantity}");
    }
    let few = offers(vec![buyget("shirt", 2, "shirt", 1, 9)]);
    assert_eq!(refused(&of(1), &few, "B2G1"), NotApplied::TooFewBought);
    assert_eq!(refused(&of(2), &few, "B2G1"), NotApplied::TooFewBought);
    let nothing = offers(vec![buyget("shirt", 2, "mug", 1, 9)]);
    assert_eq!(refused(&of(2), &nothing, "B2G1"), NotApplied::NothingToDiscount);
}

#[test]
fn the_cheapest_units_are_got() {
    let lines = vec![line("dear", 2, "30", "1"), line("cheap", 1, "5", "1")];
    let cart = PricedCart { lines, ..cart(false) };
    let method = ApplicationMethod {
        buy_rules_min_quantity: Some(Decimal::from(2_u64)),
        apply_to_quantity: Some(Decimal::ONE),
        buy_rules: vec![rule("items.product.id", RuleOperator::Ne, &["x"])],
        ..limited(MethodType::Percentage, "100", Allocation::Each, 9)
    };
    check(
        &cart,
        vec![Promotion { r#type: PromotionType::Buyget, ..promotion("ANY", method) }],
        &["ANY cheap 5"],
    );
}

#[test]
fn a_refusal_has_a_reason() {
    let cart = cart(false);
    let with = |change: fn(&mut Promotion)| {
        let mut promotion = ten();
        change(&mut promotion);
        offers(vec![promotion])
    };
    for (change, why) in [
        ((|it| it.status = PromotionStatus::Draft) as fn(&mut Promotion), NotApplied::Draft),
        (|it| it.status = PromotionStatus::Inactive, NotApplied::Inactive),
        (|it| (it.limit, it.used) = (Some(2), 2), NotApplied::UsedUp),
        (|it| it.campaign_id = Some("procamp_gone".into()), NotApplied::Past),
        (|it| it.rules = vec![rule("sales_channel_id", RuleOperator::Eq, &["us"])], NotApplied::RulesNotMet),
        (|it| it.rules = vec![rule("region.id", RuleOperator::Ne, &["us"])], NotApplied::RulesNotMet),
        (|it| it.rules = vec![rule("item_total", RuleOperator::Gt, &["85.47"])], NotApplied::RulesNotMet),
        (
            |it| {
                it.application_method = Some(across(MethodType::Fixed, "1"))
                    .map(|it| ApplicationMethod { currency_code: Some("usd".into()), ..it })
            },
            NotApplied::OtherCurrency,
        ),
        (
            |it| {
                it.application_method = it
                    .application_method
                    .take()
                    .map(|it| ApplicationMethod { target_rules: of_product("sofa"), ..it })
            },
            NotApplied::NothingToDiscount,
        ),
    ] {
        assert_eq!(refused(&cart, &with(change), "TEN"), why);
    }
    let unknown = Offers { unknown: vec!["NOPE".into()], ..Offers::default() };
    assert_eq!(refused(&cart, &unknown, "NOPE"), NotApplied::Unknown);
    // Rules that hold: all of them, and numbers as such.
    let rules = vec![
        rule("sales_channel_id", RuleOperator::In, &["us", "eu"]),
        rule("currency_code", RuleOperator::Ne, &["usd"]),
        rule("item_total", RuleOperator::Gte, &["85.470"]),
        rule("item_subtotal", RuleOperator::Eq, &["85.470"]),
    ];
    assert_eq!(apply(&cart, &offers(vec![Promotion { rules, ..ten() }]), now()).lines.len(), 3);
}

#[test]
fn campaigns_have_periods_and_budgets() {
    let cart = cart(false);
    let at = |millis| Some(Timestamp::from_millis(millis));
    let budget = |kind, limit: &str| CampaignBudget {
        id: "probudg_1".into(),
        r#type: kind,
        limit: Some(decimal(limit)),
        currency_code: Some("eur".into()),
        ..CampaignBudget::default()
    };
    let in_campaign = |codes: &[&str], campaign: &Campaign, left: Result<Option<&str>, NotApplied>| Offers {
        offers: codes
            .iter()
            .map(|code| Offer {
                promotion: Promotion {
                    campaign_id: Some("procamp_1".into()),
                    ..promotion(code, across(MethodType::Percentage, "10"))
                },
                campaign: Some(campaign.clone()),
                left: left.map(|it| Left { amount: it.map(decimal), attribute_value: None }),
            })
            .collect(),
        ..Offers::default()
    };
    let period = |starts_at, ends_at| Campaign { starts_at, ends_at, ..Campaign::default() };
    for (campaign, expect) in [
        (period(at(1_000_000), at(1_000_001)), None),
        (period(at(1_000_001), None), Some(NotApplied::NotYet)),
        (period(None, at(1_000_000)), Some(NotApplied::Past)),
    ] {
        let offers = in_campaign(&["TEN"], &campaign, Ok(None));
        assert_eq!(apply(&cart, &offers, now()).outcomes[0].discount.err(), expect);
    }
    // A budget of discounts admits one that it covers in full, and no part of one.
    let spend = Campaign { budget: Some(budget(BudgetType::Spend, "9")), ..Campaign::default() };
    assert_eq!(apply(&cart, &in_campaign(&["TEN"], &spend, Ok(Some("8.547"))), now()).lines.len(), 3);
    let short = in_campaign(&["TEN"], &spend, Ok(Some("8.546")));
    assert_eq!(refused(&cart, &short, "TEN"), NotApplied::BudgetSpent);
    // Two promotions of one cart share it.
    let both = in_campaign(&["ONE", "TWO"], &spend, Ok(Some("9")));
    assert_eq!(refused(&cart, &both, "TWO"), NotApplied::BudgetSpent);
    let usage = Campaign { budget: Some(budget(BudgetType::Usage, "2")), ..Campaign::default() };
    let both = in_campaign(&["ONE", "TWO"], &usage, Ok(Some("1")));
    assert_eq!(refused(&cart, &both, "TWO"), NotApplied::BudgetSpent);
    let nobody = in_campaign(&["TEN"], &usage, Err(NotApplied::BuyerUnknown));
    assert_eq!(refused(&cart, &nobody, "TEN"), NotApplied::BuyerUnknown);
}

prop_compose! {
    fn drawn_line()(
        quantity in 1_u64..6, cents in 1_u64..5_000, rate in prop_oneof![Just(0_u64), Just(7), Just(19)],
        is_discountable in prop::bool::weighted(0.9), product in 0_usize..3,
    ) -> Priced {
        let unit_price = decimal(&format!("{cents}e-2"));
        let subtotal = unit_price * Decimal::from(quantity);
        // Of prices that include taxes the part without them is a quotient.
        let is_tax_inclusive = cents % 3 == 0;
        let factor = decimal(&format!("{}e-2", 100 + rate));
        let (subtotal, total) = match is_tax_inclusive {
            true => (subtotal.checked_div(factor, 20).expect("a quotient"), subtotal),
            false => (subtotal, subtotal * factor),
        };
        let attributes = Attributes::default().with("items.product.id", [["a", "b", "c"][product]]);
        Priced { id: String::new(), quantity: Decimal::from(quantity), subtotal, total, is_discountable, attributes }
    }
}

prop_compose! {
    fn drawn_promotion()(
        value in 1_u64..10_000, is_fixed: bool, target in 0_usize..3, allocation in 0_usize..3, n_max in 1_u64..4,
        is_buyget in prop::bool::weighted(0.2), is_tax_inclusive: bool, product in prop::option::of(0_usize..3),
        n_buy in 1_u64..3, n_get in 1_u64..3,
    ) -> Promotion {
        let of = |product: usize| of_product(["a", "b", "c"][product]);
        let target_type = [TargetType::Items, TargetType::Order, TargetType::ShippingMethods][target];
        let allocation = [Allocation::Across, Allocation::Each, Allocation::Once][allocation];
        let (kind, value) = match is_fixed {
            true => (MethodType::Fixed, format!("{value}e-2")),
            false => (MethodType::Percentage, format!("{value}e-2")),
        };
        let mut method = on(target_type, limited(kind, &value, allocation, n_max));
        if target_type == TargetType::Items {
            method.target_rules = product.map(of).unwrap_or_default();
        }
        if is_buyget {
            method.target_type = TargetType::Items;
            method.buy_rules = of(0);
            method.buy_rules_min_quantity = Some(Decimal::from(n_buy));
            method.apply_to_quantity = Some(Decimal::from(n_get));
        }
        let kind = if is_buyget { PromotionType::Buyget } else { PromotionType::Standard };
        Promotion { r#type: kind, is_tax_inclusive, ..promotion("", method) }
    }
}

prop_compose! {
    fn drawn()(
        lines in vec(drawn_line(), 0..6), shipping_methods in vec(drawn_line(), 0..2),
        promotions in vec(drawn_promotion(), 0..6),
    ) -> (PricedCart, Vec<Promotion>) {
        let named = |prefix: &str, lines: Vec<Priced>| {
            lines.into_iter().enumerate().map(|(n, it)| Priced { id: format!("{prefix}{n}"), ..it }).collect()
        };
        let (lines, shipping_methods) = (named("line", lines), named("method", shipping_methods));
        let cart = PricedCart { lines, shipping_methods, ..cart(false) };
        let promotions = promotions.into_iter().enumerate().map(|(n, it)| Promotion {
            id: format!("promo_{n}").as_str().into(), code: format!("CODE{n}"), ..it
        });
        (cart, promotions.collect())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn no_line_falls_below_zero((cart, promotions) in drawn()) {
        let promoted = apply(&cart, &offers(promotions), now());
        let all = promoted.lines.iter().chain(&promoted.shipping_methods);
        for discount in all.clone() {
            prop_assert!(discount.amount > Decimal::ZERO, "{discount:?}");
        }
        for priced in cart.lines.iter().chain(&cart.shipping_methods) {
            let of = |is_tax_inclusive: bool| -> Decimal {
                let of_it = all.clone().filter(|it| it.target_id == priced.id);
                of_it.filter(|it| it.is_tax_inclusive == is_tax_inclusive).map(|it| it.amount).sum()
            };
            let (net, gross) = (of(false), of(true));
            // As a share of the whole: net ÷ subtotal + gross ÷ total ≤ 1.
            let share = net * priced.total + gross * priced.subtotal;
            prop_assert!(share <= priced.subtotal * priced.total, "{priced:?}: {net} and {gross}");
            prop_assert!(priced.is_discountable || share.is_zero());
        }
    }

    #[test]
    fn the_order_in_which_promotions_are_given_does_not_matter((cart, mut promotions) in drawn()) {
        let promoted = apply(&cart, &offers(promotions.clone()), now());
        promotions.reverse();
        prop_assert_eq!(&promoted, &apply(&cart, &offers(promotions.clone()), now()));
        // Nor does it matter to lines whether shipping is known.
        let unshipped = PricedCart { shipping_methods: Vec::new(), ..cart };
        prop_assert_eq!(&promoted.lines, &apply(&unshipped, &offers(promotions), now()).lines);
    }

    #[test]
    fn parts_of_a_fixed_amount_add_up_to_it(
        (cart, _) in drawn(), cents in 1_u64..100_000, is_tax_inclusive: bool,
    ) {
        let value = decimal(&format!("{cents}e-2"));
        let method = on(TargetType::Order, across(MethodType::Fixed, &value.to_string()));
        let promotion = Promotion { is_tax_inclusive, ..promotion("FIXED", method) };
        let promoted = apply(&cart, &offers(vec![promotion]), now());
        let sum: Decimal = promoted.lines.iter().map(|it| it.amount).sum();
        let discountable = cart.lines.iter().filter(|it| it.is_discountable);
        let whole: Decimal = discountable.map(|it| if is_tax_inclusive { it.total } else { it.subtotal }).sum();
        prop_assert_eq!(sum, value.min(whole));
    }
}
