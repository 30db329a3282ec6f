//! Money and quantities: exact decimal arithmetic in 256 bits. Rounding is explicit; overflow panics or is
//! checked, and never saturates.

use std::{
    cmp::Ordering,
    fmt,
    iter::Sum,
    ops::{Add, AddAssign, Mul, Neg, Sub, SubAssign},
    str::FromStr,
};

use ethnum::{I256, U256};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeStruct};

use crate::limits::NUMBER_DIGITS_MAX;

/// Maximum number of digits that parsing accepts. More than requests may send ([`NUMBER_DIGITS_MAX`]): rows
/// of earlier releases hold numbers of 29 digits, and sums of them have more.
const DIGITS_MAX: usize = 60;

/// So many digits always fit into a machine word.
const WORD_DIGITS: u32 = 18;

/// From here on floats lose digits before the point.
const FLOAT_WHOLE_MAX: f64 = 1e15;

/// A decimal number. In JSON it is a number (`19.99`, `20`), never rounded by a float; a number with more
/// digits than a float keeps is a string.
///
/// Sums and products are exact. The product of any two numbers within the limit of requests
/// ([`Decimal::is_short`]) fits, and so do sums of more such products than a shop can hold. Overflow of an
/// operator panics.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Decimal {
    /// All digits as an integer, without trailing zeros behind the decimal point.
    digits: I256,
    /// The number of digits behind the decimal point.
    scale: u32,
}

impl Decimal {
    /// 0.
    pub const ZERO: Self = Self { digits: I256::ZERO, scale: 0 };
    /// 1.
    pub const ONE: Self = Self { digits: I256::ONE, scale: 0 };

    fn new(mut digits: I256, mut scale: u32) -> Self {
        // Nearly all numbers fit into a machine word, in which a division takes a fraction of the time.
        if let Ok(mut word) = i64::try_from(digits) {
            while scale > 0 && word % 10 == 0 {
                (word, scale) = (word / 10, scale - 1);
            }
            return Self { digits: word.into(), scale };
        }
        while scale > 0 && digits % 10 == 0 {
            (digits, scale) = (digits / 10, scale - 1);
        }
        Self { digits, scale }
    }

    /// Is it below zero?
    pub fn is_negative(self) -> bool {
        self.digits < 0
    }

    /// Is it zero?
    pub fn is_zero(self) -> bool {
        self.digits == 0
    }

    /// Is it an integer?
    pub fn is_whole(self) -> bool {
        self.scale == 0
    }

    /// The value as an integer; `None` if it has a fraction or does not fit.
    pub fn to_i64(self) -> Option<i64> {
        if self.is_whole() { self.digits.try_into().ok() } else { None }
    }

    /// Has it at most [`NUMBER_DIGITS_MAX`] digits, before and behind the point together? Required of numbers
    /// in requests and of the totals of a cart.
    pub fn is_short(self) -> bool {
        self.scale <= NUMBER_DIGITS_MAX
            && self.digits.unsigned_abs() < U256::new(10_u128.pow(NUMBER_DIGITS_MAX))
    }

    /// Multiplies; `None` on overflow.
    pub fn checked_mul(self, other: Self) -> Option<Self> {
        Some(Self::new(self.digits.checked_mul(other.digits)?, self.scale + other.scale))
    }

    /// Adds; `None` on overflow.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        Some(Self::new(self.at_scale(scale)?.checked_add(other.at_scale(scale)?)?, scale))
    }

    /// Divides and rounds down to an integer; `None` if `divisor` is zero.
    pub fn div_floor(self, divisor: Self) -> Option<Self> {
        self.checked_div(divisor, 0)
    }

    /// Divides and rounds down to `n_digits` behind the point; `None` if `divisor` is zero, or on overflow.
    pub fn checked_div(self, divisor: Self, n_digits: u32) -> Option<Self> {
        let scale = self.scale.max(divisor.scale);
        let quotient = self.at_scale(scale + n_digits)?.checked_div_euclid(divisor.at_scale(scale)?)?;
        Some(Self::new(quotient, n_digits))
    }

    /// Divides and rounds to `n_digits` behind the point, half away from zero; `None` if `divisor` is zero,
    /// or on overflow.
    pub fn quotient(self, divisor: Self, n_digits: u32) -> Option<Self> {
        let scale = self.scale.max(divisor.scale);
        let (this, divisor) = (self.at_scale(scale + n_digits)?, divisor.at_scale(scale)?);
        let (quotient, rest) = (this.checked_div(divisor)?, this.checked_rem(divisor)?);
        let is_half = rest.unsigned_abs() >= divisor.unsigned_abs() - rest.unsigned_abs();
        let away = if (this < 0) == (divisor < 0) { I256::ONE } else { I256::MINUS_ONE };
        Some(Self::new(if is_half { quotient + away } else { quotient }, n_digits))
    }

    /// A hundredth: 19 is 0.19 as a share.
    pub fn percent(self) -> Self {
        Self::new(self.digits, self.scale + 2)
    }

    /// Rounds to `n_digits` behind the point, half away from zero.
    pub fn round(self, n_digits: u32) -> Self {
        let Some(surplus) = self.scale.checked_sub(n_digits).filter(|it| *it > 0) else { return self };
        let unit = I256::new(10).pow(surplus);
        let half = if self.is_negative() { -(unit / 2) } else { unit / 2 };
        Self::new((self.digits + half) / unit, n_digits)
    }

    /// The number, if it is written without an exponent and certainly fits into a machine word.
    fn of_word(text: &str) -> Option<Self> {
        let number = text.strip_prefix('-').unwrap_or(text);
        let (mut word, mut scale, mut n_digits) = (0_i64, None, 0);
        for byte in number.bytes() {
            match byte {
                b'0'..=b'9' if n_digits < WORD_DIGITS => {
                    word = word * 10 + i64::from(byte - b'0');
                    (scale, n_digits) = (scale.map(|it| it + 1), n_digits + 1);
                }
                b'.' if scale.is_none() => scale = Some(0),
                _ => return None,
            }
        }
        let word = if number.len() < text.len() { -word } else { word };
        (n_digits > 0).then(|| Self::new(word.into(), scale.unwrap_or(0)))
    }

    /// The digits scaled to `scale` digits behind the point; `None` on overflow.
    fn at_scale(self, scale: u32) -> Option<I256> {
        if scale == self.scale || self.is_zero() {
            return Some(self.digits);
        }
        self.digits.checked_mul(I256::new(10).checked_pow(scale - self.scale)?)
    }

    /// Parses a JSON number from its shortest text. Digits beyond the precision of a float were lost when the
    /// JSON was parsed: see `long_numbers` in `atoll-schema`.
    pub fn from_json(number: &serde_json::Number) -> Option<Self> {
        number.to_string().parse().ok()
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let scale = self.scale.max(other.scale);
        match (self.at_scale(scale), other.at_scale(scale)) {
            (Some(this), Some(other)) => this.cmp(&other),
            // The one that overflows has the larger absolute value, so its sign decides.
            (None, _) => self.digits.signum().cmp(&I256::ZERO),
            (_, None) => I256::ZERO.cmp(&other.digits.signum()),
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl From<i64> for Decimal {
    fn from(number: i64) -> Self {
        Self { digits: number.into(), scale: 0 }
    }
}

impl From<u64> for Decimal {
    fn from(number: u64) -> Self {
        Self { digits: number.into(), scale: 0 }
    }
}

/// The text is not a decimal number.
#[derive(Debug, PartialEq, Eq)]
pub struct NotADecimal;

impl fmt::Display for NotADecimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a decimal number of at most {DIGITS_MAX} digits")
    }
}

impl std::error::Error for NotADecimal {}

impl FromStr for Decimal {
    type Err = NotADecimal;

    /// Parses `-12.50` and `1.25e1`. More than `DIGITS_MAX` digits are an error; nothing is rounded.
    fn from_str(text: &str) -> Result<Self, NotADecimal> {
        if let Some(short) = Self::of_word(text) {
            return Ok(short);
        }
        let (number, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let exponent: i32 = exponent.parse().map_err(|_| NotADecimal)?;
        let (sign, number) = match number.strip_prefix('-') {
            Some(number) => (I256::MINUS_ONE, number),
            None => (I256::ONE, number.strip_prefix('+').unwrap_or(number)),
        };
        let (whole, behind) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && behind.is_empty() {
            return Err(NotADecimal);
        }
        let (whole, behind) = (whole.trim_start_matches('0'), behind.trim_end_matches('0'));
        let (mut digits, mut n_digits) = (I256::ZERO, 0);
        for byte in whole.bytes().chain(behind.bytes()) {
            if !byte.is_ascii_digit() || n_digits >= DIGITS_MAX {
                return Err(NotADecimal);
            }
            digits = digits * 10 + I256::from(byte - b'0');
            n_digits += usize::from(digits != 0);
        }
        if digits == 0 {
            return Ok(Self::ZERO);
        }
        let behind = i32::try_from(behind.len()).map_err(|_| NotADecimal)?;
        let scale = behind.checked_sub(exponent).ok_or(NotADecimal)?;
        let room = i32::try_from(DIGITS_MAX).map_err(|_| NotADecimal)?;
        match u32::try_from(scale) {
            Ok(scale) if scale <= room.unsigned_abs() => Ok(Self::new(sign * digits, scale)),
            Err(_) if scale > -room => {
                let digits = digits.checked_mul(I256::new(10).pow(scale.unsigned_abs()));
                digits.map(|it| Self::new(sign * it, 0)).ok_or(NotADecimal)
            }
            _ => Err(NotADecimal),
        }
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scale = self.scale as usize;
        if let (Ok(word), Some(unit)) = (i64::try_from(self.digits), 10_u64.checked_pow(self.scale)) {
            let (sign, word) = (if word < 0 { "-" } else { "" }, word.unsigned_abs());
            return match scale {
                0 => write!(f, "{sign}{word}"),
                _ => write!(f, "{sign}{}.{:0>scale$}", word / unit, word % unit),
            };
        }
        let digits = self.digits.unsigned_abs().to_string();
        let digits = format!("{digits:0>width$}", width = scale + 1);
        let (whole, behind) = digits.split_at(digits.len() - scale);
        let sign = if self.is_negative() { "-" } else { "" };
        if behind.is_empty() { write!(f, "{sign}{whole}") } else { write!(f, "{sign}{whole}.{behind}") }
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The panic message of an overflow, which no two numbers within the limit of requests reach.
const OVERFLOW: &str = "overflow of a decimal number";

impl Add for Decimal {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        self.checked_add(other).expect(OVERFLOW)
    }
}

impl Sub for Decimal {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Decimal {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        self.checked_mul(other).expect(OVERFLOW)
    }
}

impl Neg for Decimal {
    type Output = Self;

    fn neg(self) -> Self {
        Self { digits: -self.digits, scale: self.scale }
    }
}

impl AddAssign for Decimal {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Decimal {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl Sum for Decimal {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Self::ZERO, Add::add)
    }
}

/// Serialised as a number in JSON, and as text in the store. A number that a float would round is text in
/// JSON, too.
impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            return serializer.collect_str(self);
        }
        match self.to_i64() {
            Some(whole) => serializer.serialize_i64(whole),
            None if self.is_short() => serde_json::value::RawValue::from_string(self.to_string())
                .map_err(serde::ser::Error::custom)?
                .serialize(serializer),
            None => serializer.collect_str(self),
        }
    }
}

impl Decimal {
    /// The number as the wire shows the result of a calculation: the nearest float if it has more digits than
    /// a float keeps. [`Decimal::raw`] beside it is exact.
    pub fn nearest(self) -> impl Serialize {
        Nearest(self)
    }

    /// The exact value that the wire shows beside the number: `{"value": "19.99", "precision": 20}`.
    pub fn raw(self) -> impl Serialize {
        Raw(self)
    }
}

/// See [`Decimal::nearest`].
struct Nearest(Decimal);

impl Serialize for Nearest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let float = if self.0.is_short() { None } else { self.0.to_string().parse::<f64>().ok() };
        match float.filter(|it| it.abs() < FLOAT_WHOLE_MAX) {
            Some(float) => serializer.serialize_f64(float),
            None => self.0.serialize(serializer),
        }
    }
}

/// See [`Decimal::raw`].
struct Raw(Decimal);

impl Serialize for Raw {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut shown = serializer.serialize_struct("Raw", 2)?;
        shown.serialize_field("value", &format_args!("{}", self.0))?;
        shown.serialize_field("precision", &20)?;
        shown.end()
    }
}

/// Deserialised from a number, from text, or from the wire's `{"value": "19.99", "precision": 20}`.
impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Number;

        impl<'de> de::Visitor<'de> for Number {
            type Value = Decimal;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, or text that is one")
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Decimal, E> {
                Ok(Decimal::from(number))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Decimal, E> {
                Ok(Decimal::from(number))
            }

            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Decimal, E> {
                // The shortest text that parses to this float is the text that was sent.
                number.to_string().parse().map_err(E::custom)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Decimal, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Decimal, A::Error> {
                let mut value = None;
                while let Some(key) = map.next_key::<String>()? {
                    if key == "value" {
                        value = Some(map.next_value::<Decimal>()?);
                    } else {
                        map.next_value::<de::IgnoredAny>()?;
                    }
                }
                value.ok_or_else(|| de::Error::missing_field("value"))
            }
        }

        deserializer.deserialize_any(Number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().expect(text)
    }

    #[track_caller]
    fn check(json: &str, expect: &str) {
        let it: Decimal = serde_json::from_str(json).expect(json);
        assert_eq!(serde_json::to_string(&it).expect(json), expect);
        // `serde_json::Value` keeps it as well.
        let value = serde_json::to_value(it).expect(json);
        assert_eq!(serde_json::from_value::<Decimal>(value).expect(json), it);
    }

    #[test]
    fn decimals_keep_their_written_form() {
        check("20", "20");
        check("19.99", "19.99");
        check("\"40.000\"", "40");
        check("0.1", "0.1");
        check("-5", "-5");
        check("-0.05", "-0.05");
        check("1e3", "1000");
        check("1.5E-3", "0.0015");
        check(r#"{"value":"12.50","precision":20}"#, "12.5");
        check("\"123456789012345.67\"", "\"123456789012345.67\"");
        check("\"79228162514264337593543950335\"", "\"79228162514264337593543950335\"");
    }

    #[test]
    fn invalid_decimals_are_refused() {
        for json in
            ["\"x\"", "{}", "null", "\"\"", "1e400", "\".\"", "\"1_0\"", "\"--1\"", "\"1e9999999999\""]
        {
            assert!(serde_json::from_str::<Decimal>(json).is_err(), "{json}");
        }
        // Short texts for extremely large and small numbers.
        for text in ["1e5000000", "1e-5000000", "1e60", "1e-61"] {
            assert_eq!(text.parse::<Decimal>(), Err(NotADecimal), "{text}");
        }
        assert_eq!("1".repeat(61).parse::<Decimal>(), Err(NotADecimal));
    }

    #[test]
    fn decimal_arithmetic_is_exact() {
        let (large, small) = (decimal("999999999999999"), decimal("0.000000000000001"));
        assert_eq!((large + small).to_string(), "999999999999999.000000000000001");
        assert_eq!((large * large).to_string(), "999999999999998000000000000001");
        assert_eq!((small * small).to_string(), format!("0.{}1", "0".repeat(29)));
        assert_eq!((large * large + small * small).to_string().len(), 61);
        assert_eq!((decimal("0.1") + decimal("0.2")).to_string(), "0.3");
        assert_eq!((decimal("0.5") - decimal("2")).to_string(), "-1.5");
        assert_eq!((decimal("2.5") * decimal("4")), decimal("10"));
    }

    #[test]
    fn large_decimals_do_not_lose_digits() {
        let large = decimal(&"9".repeat(60));
        assert_eq!(large.checked_mul(large), None);
        assert!(large > decimal(&format!("0.{}", "9".repeat(60))));
        assert!(-large < decimal(&format!("0.{}", "9".repeat(60))));
        assert!(decimal("1.5") > decimal("1.49") && decimal("-1.5") < decimal("-1.49"));
    }

    #[test]
    fn numbers_in_requests_are_limited_to_15_digits() {
        for text in
            ["999999999999999", "9999999999999.99", "0.000000000000001", "-1", "0", "100000000000000.0"]
        {
            assert!(decimal(text).is_short(), "{text}");
        }
        for text in ["1000000000000000", "9999999999999.999", "0.0000000000000001", "1e27"] {
            assert!(!decimal(text).is_short(), "{text}");
        }
    }

    #[test]
    fn numbers_are_read_and_written_alike_around_the_size_of_a_machine_word() {
        for text in [
            "0", "7", "-7", "0.5", "-0.05", "0.000000000000000001", "999999999999999999",
            "-999999999999999999", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
            "-9223372036854775809", "0.0000000000000000001", "0.00000000000000000001",
            "922337203685477580.7", "1.23456789012345678901",
        ] {
            assert_eq!(decimal(text).to_string(), text);
            assert_eq!(decimal(&format!("{text}e0")), decimal(text), "{text}");
        }
        for (text, expect) in [("5.", "5"), (".5", "0.5"), ("-0.00", "0"), ("0012.50", "12.5"), ("+3", "3")] {
            assert_eq!(decimal(text).to_string(), expect);
        }
        for text in ["", "-", ".", "1.2.3", "--1", "1-", "½", "1_000"] {
            assert_eq!(text.parse::<Decimal>(), Err(NotADecimal), "{text}");
        }
    }

    #[test]
    fn quotients_round_half_away_from_zero() {
        let check = |a: &str, b: &str, n_digits, expect: &str| {
            let quotient = decimal(a).quotient(decimal(b), n_digits).expect(a);
            assert_eq!(quotient.to_string(), expect, "{a} / {b}");
        };
        check("60", "1.19", 20, "50.4201680672268907563");
        check("1", "3", 2, "0.33");
        check("2", "3", 2, "0.67");
        check("-2", "3", 2, "-0.67");
        check("1", "8", 2, "0.13");
        check("1", "-8", 2, "-0.13");
        check("1", "0.5", 0, "2");
        assert_eq!(Decimal::ONE.quotient(Decimal::ZERO, 2), None);
        assert_eq!(decimal("19").percent().to_string(), "0.19");
        assert_eq!(
            serde_json::json!(decimal("50.4201680672268907563").nearest()).to_string(),
            "50.42016806722689"
        );
        assert_eq!(serde_json::json!(decimal("19.99").nearest()).to_string(), "19.99");
    }

    #[test]
    fn decimals_round_half_away_from_zero() {
        for (text, n_digits, expect) in [
            ("107.965", 2, "107.97"),
            ("107.9649", 2, "107.96"),
            ("-107.965", 2, "-107.97"),
            ("0.5", 0, "1"),
            ("0.4", 0, "0"),
            ("19.99", 2, "19.99"),
            ("20", 3, "20"),
            ("9.9996", 3, "10"),
        ] {
            assert_eq!(decimal(text).round(n_digits).to_string(), expect, "{text}");
        }
    }

    #[test]
    fn div_floor_rounds_down() {
        assert_eq!(decimal("10").div_floor(decimal("3")), Some(decimal("3")));
        assert_eq!(decimal("0.7").div_floor(decimal("0.1")), Some(decimal("7")));
        assert_eq!(decimal("-1").div_floor(decimal("3")), Some(decimal("-1")));
        assert_eq!(decimal("1").div_floor(Decimal::ZERO), None);
    }
}
