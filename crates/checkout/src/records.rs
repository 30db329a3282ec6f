//! The records of a checkout that carts and orders have in common: lines, shipping methods, their tax lines
//! and discounts, credit, and addresses. Each is written once, as a macro, and a module defines its own
//! entity of it: with its own name and ids, and with fields of its own.

use atoll_kernel::{
    Decimal,
    data::{ComputedFields, Exact, FieldKind, FieldValue, flattened, joined},
    serde::{Deserialize, Serialize},
};

use crate::{Discount, sums::show_sum};

/// Defines the record of an address, as an entity of its own: `address! { /// …; pub struct CartAddress =
/// "cart_address" / "cart_addresses", "caaddr" { } }`. Further fields stand in the braces.
#[macro_export]
macro_rules! address {
    ($($record:tt)*) => { $crate::address_fields! { shared_entity! Address { $($record)* } } };
}

/// Defines the record of a line of a cart or an order, as an entity of its own, with the clauses of
/// `entity!`.
#[macro_export]
macro_rules! line {
    ($($record:tt)*) => { $crate::line_fields! { shared_entity! Line { $($record)* } } };
}

/// The fields of [`address!`].
#[doc(hidden)]
#[macro_export]
macro_rules! address_fields {
    ($then:ident! $($rest:tt)*) => { $crate::$then! {
        {
            /// The customer, by its id.
            pub customer_id: Option<String>,
            /// Company name.
            pub company: Option<String>,
            /// A first name.
            pub first_name: Option<String>,
            /// A last name.
            pub last_name: Option<String>,
            /// Street and number.
            pub address_1: Option<String>,
            /// Second line of the street address.
            pub address_2: Option<String>,
            /// The city.
            pub city: Option<String>,
            /// ISO 3166-1 alpha-2, in lower case.
            pub country_code: Option<String>,
            /// The state or province.
            pub province: Option<String>,
            /// The postal code.
            pub postal_code: Option<String>,
            /// A phone number.
            pub phone: Option<String>,
            /// A JSON object of the client's, stored as it is.
            pub metadata: $crate::kernel::Metadata,
        }
        $($rest)*
    } };
}

/// The fields of [`line!`].
#[doc(hidden)]
#[macro_export]
macro_rules! line_fields {
    ($then:ident! $($rest:tt)*) => { $crate::$then! {
        {
            /// The title of the product.
            pub title: String,
            /// The title of the variant.
            pub subtitle: Option<String>,
            /// URL of a thumbnail image.
            pub thumbnail: Option<String>,
            /// Number of units.
            pub quantity: $crate::kernel::Decimal,
            /// The variant, by its id.
            pub variant_id: Option<String>,
            /// The product, by its id.
            pub product_id: Option<String>,
            /// The title of the product.
            pub product_title: Option<String>,
            /// The description of the product.
            pub product_description: Option<String>,
            /// The subtitle of the product.
            pub product_subtitle: Option<String>,
            /// The type of the product.
            pub product_type: Option<String>,
            /// The type of the product, by its id.
            pub product_type_id: Option<String>,
            /// The title of the product's collection.
            pub product_collection: Option<String>,
            /// The handle of the product.
            pub product_handle: Option<String>,
            /// The SKU of the variant.
            pub variant_sku: Option<String>,
            /// The barcode of the variant.
            pub variant_barcode: Option<String>,
            /// The title of the variant.
            pub variant_title: Option<String>,
            /// Is it a gift card?
            pub is_giftcard: bool,
            /// Does it need shipping?
            pub requires_shipping: bool = true,
            /// May it be discounted?
            pub is_discountable: bool = true,
            /// Does the price include tax?
            pub is_tax_inclusive: bool,
            /// Was the price set manually?
            pub is_custom_price: bool,
            /// Price of one, in units of the currency.
            pub unit_price: $crate::kernel::Decimal,
            /// The former price of one, shown as crossed out.
            pub compare_at_unit_price: Option<$crate::kernel::Decimal>,
            /// A JSON object of the client's, stored as it is.
            pub metadata: $crate::kernel::Metadata,
        }
        $($rest)*
    } };
}

/// Defines an entity that has the shared fields before its own, and its conversion from and to the plain
/// description of these fields.
#[doc(hidden)]
#[macro_export]
macro_rules! shared_entity {
    (
        { $($fields:tt)* } $Plain:ident {
            $(#[$($meta:tt)*])*
            pub struct $Name:ident = $entity:literal / $plural:literal, $prefix:literal { $($own:tt)* }
            $($clauses:tt)*
        }
    ) => {
        $crate::kernel::entity! {
            $(#[$($meta)*])*
            pub struct $Name = $entity / $plural, $prefix { $($fields)* $($own)* }
            $($clauses)*
        }
        $crate::shared_copy! { { $($fields)* } $Plain $Name }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! shared_copy {
    (
        { $( $(#[$($field_meta:tt)*])* pub $field:ident: $Field:ty $(= $default:expr)?, )* } $Plain:ident $Name:ident
    ) => {
        impl From<$Name> for $crate::$Plain {
            fn from(record: $Name) -> $crate::$Plain {
                $crate::$Plain { $( $field: record.$field, )* }
            }
        }

        impl From<$crate::$Plain> for $Name {
            /// A record without an id, and with defaults in its own fields.
            fn from(plain: $crate::$Plain) -> $Name {
                $Name { $( $field: plain.$field, )* ..Default::default() }
            }
        }
    };
}

/// The shared fields as a plain struct.
#[doc(hidden)]
#[macro_export]
macro_rules! shared_plain {
    (
        { $( $(#[$($field_meta:tt)*])* pub $field:ident: $Field:ty $(= $default:expr)?, )* }
        $(#[$($meta:tt)*])* $Plain:ident
    ) => {
        $(#[$($meta)*])*
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        #[serde(crate = "::atoll_kernel::serde", default)]
        pub struct $Plain {
            $( $(#[$($field_meta)*])* pub $field: $Field, )*
        }
    };
}

address_fields! { shared_plain!
    /// An address, without an id.
    Address
}

line_fields! { shared_plain!
    /// A line, without an id: a variant, with a copy of its details at the time when it was added, and its
    /// price.
    Line
}

/// Defines the record of a tax on a line or a shipping method, which `$owner` names. `$NAMES` are its
/// computed fields; [`compute_tax_line`] and [`tax_line_field`] must be in scope.
#[macro_export]
macro_rules! tax_line {
    (
        $(#[$($meta:tt)*])*
        pub struct $Name:ident = $entity:literal / $plural:literal, $prefix:literal { pub $owner:ident: String }
        computed $NAMES:ident
    ) => {
        $crate::kernel::entity! {
            $(#[$($meta)*])*
            pub struct $Name = $entity / $plural, $prefix {
                /// The name of the tax.
                pub description: Option<String>,
                /// The rate, by its id; null if a provider has rates of its own.
                pub tax_rate_id: Option<String>,
                /// A code for bookkeeping.
                pub code: String,
                /// In percent.
                pub rate: $crate::kernel::Decimal,
                /// The provider that reckoned it.
                pub provider_id: Option<String>,
                /// A JSON object of the client's, stored as it is.
                pub metadata: $crate::kernel::Metadata,
                /// What is taxed, by its id.
                pub $owner: String,
                /// The tax without discounts.
                pub exact_subtotal: $crate::kernel::Decimal,
                /// The tax after discounts.
                pub exact_total: $crate::kernel::Decimal,
            }
            hidden [exact_subtotal, exact_total]
            computed $NAMES by compute_tax_line as tax_line_field
            on_request TAX_LINE_SUMS
        }

        impl $crate::TaxLineRecord for $Name {
            fn rate(&self) -> $crate::kernel::Decimal {
                self.rate
            }

            fn sums(&self) -> [$crate::kernel::Decimal; 2] {
                [self.exact_subtotal, self.exact_total]
            }
        }

        impl $Name {
            /// The tax line of what has this id, without an id of its own.
            pub fn of(owner: &str, line: $crate::TaxLine) -> $Name {
                let $crate::TaxLine { description, tax_rate_id, code, rate, provider_id, subtotal, total } = line;
                $Name {
                    description,
                    tax_rate_id,
                    code,
                    rate,
                    provider_id,
                    $owner: owner.to_owned(),
                    exact_subtotal: subtotal,
                    exact_total: total,
                    ..Default::default()
                }
            }

            /// The tax line, without ids.
            pub fn plain(&self) -> $crate::TaxLine {
                $crate::TaxLine {
                    description: self.description.clone(),
                    tax_rate_id: self.tax_rate_id.clone(),
                    code: self.code.clone(),
                    rate: self.rate,
                    provider_id: self.provider_id.clone(),
                    subtotal: self.exact_subtotal,
                    total: self.exact_total,
                }
            }
        }
    };
}

/// A tax on a line or a shipping method.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, crate = "::atoll_kernel::serde")]
pub struct TaxLine {
    /// The name of the tax.
    pub description: Option<String>,
    /// The rate, by its id; `None` if a provider has rates of its own.
    pub tax_rate_id: Option<String>,
    /// A code for bookkeeping.
    pub code: String,
    /// In percent.
    pub rate: Decimal,
    /// The provider that reckoned it, as the wire names it: `system`.
    pub provider_id: Option<String>,
    /// The tax without discounts.
    pub subtotal: Decimal,
    /// The tax after discounts.
    pub total: Decimal,
}

/// A record that [`tax_line!`] defines.
pub trait TaxLineRecord {
    /// In percent.
    fn rate(&self) -> Decimal;

    /// The tax without and with discounts.
    fn sums(&self) -> [Decimal; 2];
}

/// The sums of a tax line and of a discount, each with its exact twin. A star shows them only with the totals
/// of the cart or order.
pub const PART_SUMS: [(&str, &str); 2] = [("subtotal", "raw_subtotal"), ("total", "raw_total")];

/// The computed fields of a tax line of a cart.
pub const TAX_LINE_COMPUTED: &[&str] = joined![["data"], flattened::<4>(&PART_SUMS)];
/// Those of an order, which show the exact rate, too.
pub const ORDER_TAX_LINE_COMPUTED: &[&str] = joined![["raw_rate"], TAX_LINE_COMPUTED];
/// Those that a star shows only with the totals.
pub const TAX_LINE_SUMS: &[&str] = &flattened::<4>(&PART_SUMS);

/// Computes the fields of a tax line.
pub fn compute_tax_line(line: &impl TaxLineRecord, shown: &mut ComputedFields<'_>) {
    shown.field("data", ());
    shown.field("raw_rate", line.rate().raw());
    show_parts(line.sums(), shown);
}

/// What the computed fields of a tax line hold.
pub fn tax_line_field(name: &str) -> (FieldKind, &'static str) {
    match name {
        "data" => (FieldKind::OrNull(&FieldKind::Record), "Always null."),
        "subtotal" => (FieldKind::Decimal, "The tax without discounts."),
        "total" => (FieldKind::Decimal, "The tax after discounts."),
        _ => (Exact::KIND, ""),
    }
}

fn show_parts(sums: [Decimal; 2], shown: &mut ComputedFields<'_>) {
    for (names, sum) in PART_SUMS.into_iter().zip(sums) {
        show_sum(names, sum, shown);
    }
}

/// Defines the record of a discount on a line or a shipping method, which `$owner` names, with the fields
/// that it does not show. [`compute_adjustment`] and [`adjustment_field`] must be in scope.
#[macro_export]
macro_rules! adjustment {
    (
        $(#[$($meta:tt)*])*
        pub struct $Name:ident = $entity:literal / $plural:literal, $prefix:literal {
            pub $owner:ident: String $(, $(#[$($own_meta:tt)*])* pub $own:ident: $Own:ty = $own_default:expr)?
        }
        hidden [$($hidden:ident),*]
    ) => {
        $crate::kernel::entity! {
            $(#[$($meta)*])*
            pub struct $Name = $entity / $plural, $prefix {
                $( $(#[$($own_meta)*])* pub $own: $Own = $own_default, )?
                /// What it is for.
                pub description: Option<String>,
                /// The code of the promotion.
                pub code: Option<String>,
                /// Does the amount include taxes?
                pub is_tax_inclusive: bool,
                /// The provider that reckoned it.
                pub provider_id: Option<String>,
                /// The promotion, by its id.
                pub promotion_id: Option<String>,
                /// A JSON object of the client's, stored as it is.
                pub metadata: $crate::kernel::Metadata,
                /// What is discounted, by its id.
                pub $owner: String,
                /// How much less is charged.
                pub exact_amount: $crate::kernel::Decimal,
                /// That without taxes.
                pub exact_subtotal: $crate::kernel::Decimal,
                /// That with taxes.
                pub exact_total: $crate::kernel::Decimal,
            }
            hidden [exact_amount, exact_subtotal, exact_total $(, $hidden)*]
            computed ADJUSTMENT_COMPUTED by compute_adjustment as adjustment_field
            on_request TAX_LINE_SUMS
        }

        impl $crate::AdjustmentRecord for $Name {
            fn discount(&self) -> $crate::Discount {
                $crate::Discount { amount: self.exact_amount, is_tax_inclusive: self.is_tax_inclusive }
            }

            fn sums(&self) -> [$crate::kernel::Decimal; 2] {
                [self.exact_subtotal, self.exact_total]
            }
        }

        impl $Name {
            /// The discount on what has this id, without an id of its own.
            pub fn of(owner: &str, adjustment: $crate::Adjustment) -> $Name {
                let $crate::Adjustment { description, code, provider_id, promotion_id, discount, subtotal, total } =
                    adjustment;
                $Name {
                    description,
                    code,
                    is_tax_inclusive: discount.is_tax_inclusive,
                    provider_id,
                    promotion_id,
                    $owner: owner.to_owned(),
                    exact_amount: discount.amount,
                    exact_subtotal: subtotal,
                    exact_total: total,
                    ..Default::default()
                }
            }

            /// The discount, without ids.
            pub fn plain(&self) -> $crate::Adjustment {
                $crate::Adjustment {
                    description: self.description.clone(),
                    code: self.code.clone(),
                    provider_id: self.provider_id.clone(),
                    promotion_id: self.promotion_id.clone(),
                    discount: $crate::Discount {
                        amount: self.exact_amount,
                        is_tax_inclusive: self.is_tax_inclusive,
                    },
                    subtotal: self.exact_subtotal,
                    total: self.exact_total,
                }
            }
        }
    };
}

/// A discount on a line or a shipping method, and where it comes from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Adjustment {
    /// What it is for.
    pub description: Option<String>,
    /// The code of the promotion.
    pub code: Option<String>,
    /// The provider that reckoned it.
    pub provider_id: Option<String>,
    /// The promotion, by its id.
    pub promotion_id: Option<String>,
    /// How much less is charged.
    pub discount: Discount,
    /// That without taxes.
    pub subtotal: Decimal,
    /// That with taxes.
    pub total: Decimal,
}

/// A record that [`adjustment!`] defines.
pub trait AdjustmentRecord {
    /// How much less is charged.
    fn discount(&self) -> Discount;

    /// The discount without and with taxes.
    fn sums(&self) -> [Decimal; 2];
}

/// The computed fields of a discount.
pub const ADJUSTMENT_COMPUTED: &[&str] = joined![["amount", "raw_amount"], flattened::<4>(&PART_SUMS)];

/// Computes the fields of a discount.
pub fn compute_adjustment(it: &impl AdjustmentRecord, shown: &mut ComputedFields<'_>) {
    let amount = it.discount().amount;
    show_sum(("amount", "raw_amount"), amount, shown);
    show_parts(it.sums(), shown);
}

/// What the computed fields of a discount hold.
pub fn adjustment_field(name: &str) -> (FieldKind, &'static str) {
    match name {
        "amount" => (FieldKind::Decimal, "How much less is charged."),
        "subtotal" => (FieldKind::Decimal, "The discount without taxes."),
        "total" => (FieldKind::Decimal, "The discount with taxes."),
        _ => (Exact::KIND, ""),
    }
}
