//! The arithmetic against recorded carts and orders of the original, and against a model in exact fractions.

use std::{fs, path::Path};

use atoll_kernel::{
    Decimal,
    serde_json::{self, Map, Value},
};

use super::*;

/// A charge, as a test describes it.
#[derive(Clone, Debug, Default)]
struct Charge {
    amount: Decimal,
    is_tax_inclusive: bool,
    rates: Vec<Decimal>,
    discounts: Vec<Discount>,
}

impl Charged for Charge {
    fn amount(&self) -> Decimal {
        self.amount
    }

    fn is_tax_inclusive(&self) -> bool {
        self.is_tax_inclusive
    }

    fn rates(&self) -> impl Iterator<Item = Decimal> {
        self.rates.iter().copied()
    }

    fn discounts(&self) -> impl Iterator<Item = Discount> {
        self.discounts.iter().copied()
    }
}

/// The largest and the finest numbers of requests, and of products of two: nothing overflows, and nothing is
/// lost.
mod edges {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().expect(text)
    }

    #[test]
    fn amounts_with_taxes_are_split_exactly() {
        let (largest, finest) = (decimal("999999999999999"), decimal("0.000000000000001"));
        for amount in [largest * largest, largest * finest, finest * finest, -(largest * largest)] {
            for rate in [decimal("1000"), decimal("999.999999999999"), finest, Decimal::ZERO] {
                assert!(is_rate(rate));
                let tax = Tax::of([rate, rate].into_iter());
                assert_eq!(tax.split(amount, true).gross(), amount, "{rate} % in {amount}");
                assert_eq!(tax.split(amount, false).net, amount, "{rate} % on {amount}");
            }
        }
        for text in ["-1", "1000.1", "0.0000000000000001"] {
            assert!(!is_rate(decimal(text)), "{text}");
        }
    }

    /// A tax that has no room for twenty more digits is shared out all the same.
    #[test]
    fn long_taxes_are_shared_out_in_proportion() {
        let rates = [decimal("99.0000000000001"); 3];
        let amount = decimal("123456.000000001");
        let tax = Tax::of(rates.into_iter()).split(amount * amount, false).tax;
        let shares = shares(tax, &rates);
        let third = tax.quotient(3_i64.into(), 6).expect("a third");
        assert!(shares.iter().all(|it| it.round(6) == third), "{shares:?} of {tax}");
        assert_eq!(shares.into_iter().sum::<Decimal>(), tax);
    }
}

mod recorded {
    use super::*;

    /// What is charged for a recorded line or shipping method, if the answer shows all that this needs.
    fn charge(it: &Value) -> Option<Charge> {
        let number = |it: &Value| Decimal::from_json(it.as_number()?);
        let amount = match it.get("unit_price") {
            Some(unit_price) => number(unit_price)?.checked_mul(number(&it["quantity"])?)?,
            None => number(&it["amount"])?,
        };
        let discount = |it: &Value| {
            let is_tax_inclusive = it["is_tax_inclusive"].as_bool().unwrap_or_default();
            Some(Discount { amount: number(&it["amount"])?, is_tax_inclusive })
        };
        Some(Charge {
            amount,
            is_tax_inclusive: it["is_tax_inclusive"].as_bool()?,
            rates: it["tax_lines"].as_array()?.iter().map(|it| number(&it["rate"])).collect::<Option<_>>()?,
            discounts: it["adjustments"].as_array()?.iter().map(discount).collect::<Option<_>>()?,
        })
    }

    fn charges(it: &Value) -> Option<Vec<Charge>> {
        it.as_array()?.iter().map(charge).collect()
    }

    /// Compares the sums that a record shows with ours; counts them.
    fn compare(shown: &Map<String, Value>, name: &str, ours: Decimal, n_compared: &mut usize) {
        let Some(theirs) = shown.get(name).and_then(Value::as_f64) else { return };
        let ours = serde_json::json!(ours.nearest()).as_f64().expect(name);
        // The original adds floats here and there.
        assert!(
            (theirs - ours).abs() <= 1e-9 * theirs.abs().max(1.0),
            "{name}: {ours} and not {theirs} in {shown:?}"
        );
        *n_compared += 1;
    }

    fn compare_all(value: &Value, n_compared: &mut usize) {
        match value {
            Value::Array(items) => items.iter().for_each(|it| compare_all(it, n_compared)),
            Value::Object(fields) => {
                if let (Some(items), Some(methods)) =
                    (charges(&value["items"]), charges(&value["shipping_methods"]))
                {
                    let totals = Totals::of(&items, &methods, Decimal::ZERO);
                    totals.visit(&mut |(name, _), sum| compare(fields, name, sum, n_compared));
                }
                if let Some(charge) = charge(value) {
                    charge.sums().visit(&mut |(name, _), sum| compare(fields, name, sum, n_compared));
                }
                fields.values().for_each(|it| compare_all(it, n_compared));
            }
            _ => {}
        }
    }

    #[test]
    fn totals_are_those_of_the_recordings() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/recordings");
        let mut n_compared = 0;
        for file in fs::read_dir(folder).expect("the recordings") {
            let path = file.expect("a file").path();
            if path.extension().is_none_or(|it| it != "json") {
                continue;
            }
            let text = fs::read_to_string(path).expect("a recording");
            let recording: Value = serde_json::from_str(&text).expect("a recording");
            for entry in recording["entries"].as_array().into_iter().flatten() {
                compare_all(&entry["response"]["body"], &mut n_compared);
            }
        }
        assert!(n_compared > 4_000, "{n_compared} sums were compared");
    }
}

mod drawn {
    use super::*;

    /// An exact fraction, in hundredths of a unit of currency. Knows nothing of [`Decimal`].
    #[derive(Clone, Copy, Debug)]
    struct Fraction {
        above: i128,
        below: i128,
    }

    impl Fraction {
        fn new(above: i128, below: i128) -> Fraction {
            let (mut a, mut b) = (above.abs(), below);
            while b != 0 {
                (a, b) = (b, a % b);
            }
            let divisor = a.max(1);
            Fraction { above: above / divisor, below: below / divisor }
        }

        fn plus(self, other: Fraction) -> Fraction {
            Fraction::new(self.above * other.below + other.above * self.below, self.below * other.below)
        }

        fn minus(self, other: Fraction) -> Fraction {
            self.plus(Fraction { above: -other.above, ..other })
        }

        fn times(self, other: Fraction) -> Fraction {
            Fraction::new(self.above * other.above, self.below * other.below)
        }

        /// Is a decimal within a quadrillionth of it?
        fn is_near(self, decimal: Decimal) -> bool {
            let scale = 10_i128.pow(15);
            let whole = self.above / self.below;
            let rest = (self.above % self.below) * scale / self.below;
            let text =
                decimal.checked_mul(100_i64.into()).expect("small").checked_mul(Decimal::from(scale as i64));
            let ours = text.expect("small").round(0).to_string().parse::<i128>().expect("whole");
            (ours - (whole * scale + rest)).abs() <= 1
        }
    }

    /// A generator of small numbers (xorshift): the same in each run.
    struct Drawn(u64);

    impl Drawn {
        fn below(&mut self, n: u64) -> i128 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            i128::from(self.0 % n)
        }
    }

    /// A charge of the model: cents, and rates in tenths of a percent.
    struct Model {
        cents: i128,
        is_tax_inclusive: bool,
        tenths: Vec<i128>,
        discounts: Vec<(i128, bool)>,
    }

    impl Model {
        fn draw(drawn: &mut Drawn) -> Model {
            let cents = drawn.below(100_000);
            let mut left = cents / 2;
            let mut discounts = Vec::new();
            for _ in 0..drawn.below(3) {
                let part = drawn.below(left as u64 + 1);
                left -= part;
                discounts.push((part, drawn.below(2) == 0));
            }
            Model {
                cents,
                is_tax_inclusive: drawn.below(2) == 0,
                tenths: (0..drawn.below(3)).map(|_| drawn.below(300)).collect(),
                discounts,
            }
        }

        /// Net and tax of an amount.
        fn split(&self, cents: i128, is_tax_inclusive: bool) -> (Fraction, Fraction) {
            let (amount, rate) = (Fraction::new(cents, 1), self.tenths.iter().sum::<i128>());
            match is_tax_inclusive {
                true => {
                    let net = amount.times(Fraction::new(1000, 1000 + rate));
                    (net, amount.minus(net))
                }
                false => (amount, amount.times(Fraction::new(rate, 1000))),
            }
        }

        fn charge(&self) -> Charge {
            let cents = |it: i128| Decimal::from(it as i64).percent();
            Charge {
                amount: cents(self.cents),
                is_tax_inclusive: self.is_tax_inclusive,
                rates: self.tenths.iter().map(|it| cents(*it * 10)).collect(),
                discounts: self
                    .discounts
                    .iter()
                    .map(|(it, incl)| Discount { amount: cents(*it), is_tax_inclusive: *incl })
                    .collect(),
            }
        }
    }

    #[test]
    fn totals_are_those_of_a_model_in_fractions() {
        let mut drawn = Drawn(0x5eed);
        // A hundred thousand take 45 s without optimisation: `cargo test --release` draws them all.
        let n_carts = if cfg!(debug_assertions) { 10_000 } else { 100_000 };
        for _ in 0..n_carts {
            let models: Vec<Model> = (0..=drawn.below(3)).map(|_| Model::draw(&mut drawn)).collect();
            let charges: Vec<Charge> = models.iter().map(Model::charge).collect();
            let zero = Fraction::new(0, 1);
            let (mut net, mut tax, mut off_net, mut off_tax) = (zero, zero, zero, zero);
            for model in &models {
                let own = model.split(model.cents, model.is_tax_inclusive);
                (net, tax) = (net.plus(own.0), tax.plus(own.1));
                for (cents, is_tax_inclusive) in &model.discounts {
                    let own = model.split(*cents, *is_tax_inclusive);
                    (off_net, off_tax) = (off_net.plus(own.0), off_tax.plus(own.1));
                }
            }
            let totals = Totals::of(&charges, &[] as &[Charge], Decimal::ZERO);
            for (name, exact, ours) in [
                ("subtotal", net, totals.subtotal),
                ("original_tax_total", tax, totals.original_tax_total),
                ("discount_subtotal", off_net, totals.discount_subtotal),
                ("discount_tax_total", off_tax, totals.discount_tax_total),
                ("tax_total", tax.minus(off_tax), totals.tax_total),
                ("total", net.plus(tax).minus(off_net).minus(off_tax), totals.total),
            ] {
                assert!(exact.is_near(ours), "{name}: {ours} and not {exact:?} of {charges:?}");
            }
            check_parts(&charges, &totals);
        }
    }

    /// Nothing appears or vanishes between the parts and the whole: exactly.
    fn check_parts(charges: &[Charge], totals: &Totals) {
        let sums = charges.iter().map(Charged::sums);
        assert_eq!(sums.clone().map(|it| it.total).sum::<Decimal>(), totals.total);
        assert_eq!(totals.original_total - totals.discount_total, totals.total);
        assert_eq!(totals.subtotal - totals.discount_subtotal + totals.tax_total, totals.total);
        for (charge, sums) in charges.iter().zip(sums) {
            if charge.is_tax_inclusive {
                assert_eq!(sums.original_total, charge.amount, "prices with taxes are what is paid");
            } else {
                assert_eq!(sums.subtotal, charge.amount);
            }
            if !charge.rates.is_empty() {
                assert_eq!(
                    shares(sums.tax_total, &charge.rates).into_iter().sum::<Decimal>(),
                    sums.tax_total
                );
            }
        }
    }
}
