//! Money and quantities: decimals that stay exact from the request to the answer.

use std::{
    fmt,
    iter::Sum,
    ops::{Add, AddAssign, Div, Mul, Neg, Sub, SubAssign},
    str::FromStr,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A decimal number, exact to 28 digits. In JSON it is a number (`19.99`, `20`), never rounded by a float.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Decimal(rust_decimal::Decimal);

impl Decimal {
    /// Nothing.
    pub const ZERO: Self = Self(rust_decimal::Decimal::ZERO);
    /// One.
    pub const ONE: Self = Self(rust_decimal::Decimal::ONE);

    /// The largest whole number that is not larger.
    pub fn floor(self) -> Self {
        Self(self.0.floor())
    }

    /// Is it below zero?
    pub fn is_negative(self) -> bool {
        self.0 < rust_decimal::Decimal::ZERO
    }

    /// Is it zero?
    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// Is it a whole number?
    pub fn is_whole(self) -> bool {
        self.0.is_integer()
    }

    /// The value as the whole number that it is, if it is one.
    pub fn to_i64(self) -> Option<i64> {
        use rust_decimal::prelude::ToPrimitive;
        if self.is_whole() { self.0.to_i64() } else { None }
    }

    /// Multiplies, unless the result has no room.
    pub fn checked_mul(self, other: Self) -> Option<Self> {
        self.0.checked_mul(other.0).map(Self)
    }

    /// Adds, unless the result has no room.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// Reads a JSON number through its shortest text, which is what the sender wrote for up to 17 digits.
    pub fn from_json(number: &serde_json::Number) -> Option<Self> {
        number.to_string().parse().ok()
    }
}

impl From<i64> for Decimal {
    fn from(number: i64) -> Self {
        Self(number.into())
    }
}

impl From<u64> for Decimal {
    fn from(number: u64) -> Self {
        Self(number.into())
    }
}

/// The text is not a decimal number.
#[derive(Debug, PartialEq, Eq)]
pub struct NotADecimal;

impl fmt::Display for NotADecimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a decimal number of at most 28 digits")
    }
}

impl std::error::Error for NotADecimal {}

impl FromStr for Decimal {
    type Err = NotADecimal;

    fn from_str(text: &str) -> Result<Self, NotADecimal> {
        rust_decimal::Decimal::from_str_exact(text)
            .or_else(|_| rust_decimal::Decimal::from_scientific(text))
            .map(|it| Self(it.normalize()))
            .map_err(|_| NotADecimal)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.normalize(), f)
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Add for Decimal {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Decimal {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Mul for Decimal {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        Self(self.0.saturating_mul(other.0))
    }
}

impl Div for Decimal {
    type Output = Self;

    /// What has no room, a division by zero included, is the largest number, as sums and products are.
    fn div(self, other: Self) -> Self {
        Self(self.0.checked_div(other.0).unwrap_or(rust_decimal::Decimal::MAX))
    }
}

impl Neg for Decimal {
    type Output = Self;

    fn neg(self) -> Self {
        Self(-self.0)
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

/// A number in JSON, text in the store.
impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            return serializer.collect_str(self);
        }
        match self.to_i64() {
            Some(whole) => serializer.serialize_i64(whole),
            None => serde_json::value::RawValue::from_string(self.to_string())
                .map_err(serde::ser::Error::custom)?
                .serialize(serializer),
        }
    }
}

impl Decimal {
    /// As the wire shows it beside the number, where nothing may be rounded: `{"value": "19.99", "precision": 20}`.
    pub fn raw(&self) -> serde_json::Value {
        serde_json::json!({ "value": self.to_string(), "precision": 20 })
    }
}

/// From a number, from text, or from the wire's `{"value": "19.99", "precision": 20}`.
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
                // The shortest text that reads back as this float is the text that was sent.
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

    #[track_caller]
    fn check(json: &str, expect: &str) {
        let it: Decimal = serde_json::from_str(json).expect(json);
        assert_eq!(serde_json::to_string(&it).expect(json), expect);
    }

    #[test]
    fn numbers_stay_as_they_were_written() {
        check("20", "20");
        check("19.99", "19.99");
        check("\"40.000\"", "40");
        check("0.1", "0.1");
        check("-5", "-5");
        check("1e3", "1000");
        check(r#"{"value":"12.50","precision":20}"#, "12.5");
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for json in ["\"x\"", "{}", "null", "\"\"", "1e400"] {
            assert!(serde_json::from_str::<Decimal>(json).is_err(), "{json}");
        }
    }
}
