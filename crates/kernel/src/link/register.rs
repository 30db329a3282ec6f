//! `link!`: registers links and field links, and says how one is written.

/// Registers a link, or a `FieldLink`.
///
/// ```
/// use atoll_kernel::{data::End, link};
///
/// link! {
///     /// A product is sold in sales channels.
///     pub static PRODUCT_SALES_CHANNEL: Link("product_sales_channel", "prodsc") = {
///         left: End {
///             entity: "product",
///             key: "product_id",
///             alias: "product",
///             others: Some("sales_channels"),
///             rows: "sales_channels_link",
///             many: true,
///             cascade: false,
///         },
///         right: End {
///             entity: "sales_channel",
///             key: "sales_channel_id",
///             alias: "sales_channel",
///             others: Some("products"),
///             rows: "products_link",
///             many: true,
///             cascade: false,
///         },
///         // How many products a channel has, is kept. How many channels a product has, is looked up.
///         counted: right,
///     };
/// }
/// ```
#[macro_export]
macro_rules! link {
    (
        $(#[$meta:meta])*
        $vis:vis static $NAME:ident: Link($name:literal, $prefix:literal) = {
            left: $left:expr,
            right: $right:expr,
            $(counted: $counted:ident,)?
            $(columns: $columns:expr,)?
            $(history: $history:expr,)?
        };
    ) => {
        $(#[$meta])*
        $vis static $NAME: $crate::data::Link = $crate::data::Link {
            name: $name,
            reverse: concat!($name, ".reverse"),
            deleted: concat!($name, ".deleted"),
            prefix: $prefix,
            left: $left,
            right: $right,
            counted: $crate::counted_end!($($counted)?),
            columns: $crate::or_empty!($($columns)?),
            history: $crate::or_empty!($($history)?),
        };

        const _: () = {
            $crate::register! { in LINKS, $crate::data::Link: &$NAME }
        };
    };
    ($(#[$meta:meta])* $vis:vis static $NAME:ident: FieldLink = $link:expr;) => {
        $(#[$meta])*
        $vis static $NAME: $crate::data::FieldLink = $link;

        const _: () = {
            $crate::register! { in FIELD_LINKS, $crate::data::FieldLink: &$NAME }
        };
    };
    ($($wrong:tt)*) => {
        compile_error!(
            "a link is written in one of these ways; `counted`, `columns` and `history` may be left out, \
             and the parts stand in this order:\n\
             \x20   /// What it connects.\n\
             \x20   pub static REVIEW_PRODUCT: Link(\"review_product\", \"revprod\") = {\n\
             \x20       left: End { entity: \"review\", … },\n\
             \x20       right: End { entity: \"product\", … },\n\
             \x20       counted: right,\n\
             \x20       columns: &[…],\n\
             \x20       history: &[…],\n\
             \x20   };\n\
             \x20   /// What it connects.\n\
             \x20   pub static REVIEW_CUSTOMER: FieldLink = FieldLink { from: \"review\", … };"
        );
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! counted_end {
    () => {
        None
    };
    (left) => {
        Some($crate::data::Side::Left)
    };
    (right) => {
        Some($crate::data::Side::Right)
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! or_empty {
    () => {
        &[]
    };
    ($value:expr) => {
        $value
    };
}
