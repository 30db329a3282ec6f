//! What hooks get at the points of the core's flows, and what they contribute.

use std::marker::PhantomData;

use atoll_api_key::ApiKeyKind;
use atoll_cart::{LineItem, ShippingMethod};
use atoll_inventory::InventoryLevel;
use atoll_kernel::{
    data::{Entity, FieldKind, FieldValue},
    serde_json::{Map, Number},
    stored,
};
use serde::{Deserialize, Serialize, Serializer};

use super::*;

/// Records under the plural of their entity: `{ "products": […] }`. `N` is what they are made of, where they
/// are not made yet.
#[derive(Clone, Debug)]
pub struct Records<T, N = T> {
    /// The records.
    pub records: Vec<N>,
    entity: PhantomData<fn() -> T>,
}

impl<T, N: Clone> Records<T, N> {
    /// Of these records.
    pub fn of(records: &[N]) -> Self {
        Records { records: records.to_vec(), entity: PhantomData }
    }

    /// Of one record.
    pub fn one(record: &N) -> Self {
        Records { records: vec![record.clone()], entity: PhantomData }
    }
}

impl<T: Entity, N: FieldValue> FieldValue for Records<T, N> {
    const KIND: FieldKind =
        FieldKind::Fields { names: &[T::DEF.plural], kinds: &[FieldKind::List(&N::KIND)] };
}

impl<T: Entity, N: Serialize> Serialize for Records<T, N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([(T::DEF.plural, &self.records)])
    }
}

/// Declares inputs of one id, each with a function `of` that id.
macro_rules! of_id {
    ($($(#[$doc:meta])* $Name:ident: $field:ident;)*) => {
        $(
            stored! {
                $(#[$doc])*
                #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
                #[serde(default)]
                pub struct $Name {
                    /// The id.
                    pub $field: String,
                }
            }

            impl $Name {
                /// Of this id.
                pub fn of(id: &str) -> Self {
                    $Name { $field: id.to_owned() }
                }
            }
        )*
    };
}

of_id! {
    /// The record that is concerned.
    OfId: id;
    /// The order that is concerned.
    OfOrder: order_id;
    /// The cart that is concerned.
    OfCart: cart_id;
    /// The product that is concerned.
    OfProduct: product_id;
}

/// Declares inputs with several fields.
macro_rules! inputs {
    ($($(#[$doc:meta])* $Name:ident { $($(#[$about:meta])* $field:ident: $Of:ty,)* })*) => {
        $(
            stored! {
                $(#[$doc])*
                #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
                #[serde(default)]
                pub struct $Name { $($(#[$about])* pub $field: $Of,)* }
            }
        )*
    };
}

inputs! {
    /// The records that are concerned.
    Ids {
        /// Their ids.
        ids: Vec<String>,
    }

    /// A record, and those that are linked to it and unlinked from it.
    Links {
        /// The record.
        id: String,
        /// What is linked.
        add: Vec<String>,
        /// What is unlinked.
        remove: Vec<String>,
    }

    /// A line to price.
    LineToPrice {
        /// Its cart, as it is before the line is priced.
        cart: Cart,
        /// The line, with its quantity and its price by the price lists of the shop. A new one has no id yet.
        line: LineItem,
    }

    /// What a hook says about the price of a line.
    LinePrice {
        /// The unit price; none leaves it as it is.
        unit_price: Option<Decimal>,
        /// Merged into the metadata of a new line. It must not depend on the quantity: lines of one variant
        /// with the same metadata become one.
        metadata: Metadata,
    }

    /// A shipping method to price.
    MethodToPrice {
        /// Its cart, whose lines are priced, taxed and discounted.
        cart: Cart,
        /// The method, with the price of its shipping option.
        method: ShippingMethod,
    }

    /// What a hook says about the price of a shipping method.
    MethodPrice {
        /// The price; none leaves it as it is.
        amount: Option<Decimal>,
    }

    /// A cart to make.
    NewCart {
        /// The requested channel.
        sales_channel_id: Option<String>,
        /// The e-mail address of the buyer.
        email: Option<String>,
    }

    /// A cart.
    CartNow {
        /// As it is now.
        cart: Cart,
    }

    /// The quantity of a line.
    OfLine {
        /// The cart.
        cart_id: String,
        /// The line.
        line_id: String,
        /// The new quantity.
        quantity: Decimal,
    }

    /// Lines of a cart.
    OfLines {
        /// The cart.
        cart_id: String,
        /// The lines.
        ids: Vec<String>,
    }

    /// A cart, and the customer who gets it.
    OfTransfer {
        /// The cart.
        cart_id: String,
        /// The customer.
        customer_id: String,
    }

    /// Money to capture or to refund.
    MoneyToMove {
        /// The payment.
        payment_id: String,
        /// How much; none for all of it.
        amount: Option<Decimal>,
    }

    /// A payment session to make.
    SessionToMake {
        /// The payment collection.
        payment_collection_id: String,
        /// The provider.
        provider_id: String,
        /// How much.
        amount: Decimal,
    }

    /// A payment that is due for a cart.
    PaymentDue {
        /// The cart.
        cart_id: String,
        /// How much.
        amount: Decimal,
        /// In which currency.
        currency_code: String,
        /// The e-mail address of the buyer.
        email: Option<String>,
    }

    /// An order that is about to be made of a cart.
    OrderToPlace {
        /// The cart.
        cart: Cart,
        /// The order.
        order: Order,
    }

    /// What a hook adds to an order.
    OrderExtras {
        /// Merged into the metadata of the order.
        metadata: Metadata,
    }

    /// An order that was made of a cart.
    OrderPlaced {
        /// The order.
        order: Order,
        /// What hooks contributed at `authorizePayment`, by their names.
        authorizations: Map<String, Value>,
    }

    /// An order.
    OrderNow {
        /// As it is now.
        order: Order,
    }

    /// A fulfilment of an order.
    OfFulfillment {
        /// The order.
        order_id: String,
        /// The fulfilment.
        fulfillment_id: String,
    }

    /// Images of a product to assign to its variants.
    ImageChanges {
        /// The product.
        product_id: String,
        /// Pairs of an image and a variant to assign.
        add: Vec<(String, String)>,
        /// Pairs to remove.
        remove: Vec<(String, String)>,
    }

    /// Changes of the inventory items of variants.
    VariantItems {
        /// The product.
        product_id: String,
        /// What is linked.
        link: Vec<LinkedItem>,
        /// What is unlinked.
        unlink: Vec<UnlinkedItem>,
    }

    /// An inventory item that is unlinked from a variant.
    UnlinkedItem {
        /// The variant.
        variant_id: String,
        /// The item.
        inventory_item_id: String,
    }

    /// A value of an option.
    OfOptionValue {
        /// The option.
        option_id: String,
        /// The value.
        id: String,
    }

    /// A key to make.
    NewApiKey {
        /// Its title.
        title: String,
        /// Its kind.
        r#type: ApiKeyKind,
    }

    /// A key to revoke.
    Revocation {
        /// The key.
        id: String,
        /// After how many milliseconds.
        delay_ms: u64,
    }

    /// Inventory levels to remove.
    LevelsToDelete {
        /// Their ids.
        delete: Vec<String>,
    }

    /// Stock to move to another location.
    StockToTransfer {
        /// The item.
        inventory_item_id: String,
        /// Where it is.
        from_location_id: String,
        /// Where it goes.
        to_location_id: String,
        /// How many.
        quantity: Decimal,
    }

    /// Inventory levels after a batch.
    LevelsChanged {
        /// Those that were made.
        created: Vec<InventoryLevel>,
        /// Those that were changed.
        updated: Vec<InventoryLevel>,
    }

    /// A customer.
    CustomerNow {
        /// As it will be.
        customer: Customer,
    }

    /// Addresses of a customer.
    Addresses {
        /// As they are now.
        addresses: Vec<CustomerAddress>,
    }

    /// Admin users to make.
    Emails {
        /// Their e-mail addresses.
        emails: Vec<String>,
    }
}

stored! {
    /// An inventory item that is linked to a variant.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    pub struct LinkedItem {
        /// The variant.
        pub variant_id: String,
        /// The item.
        pub inventory_item_id: String,
        /// How much of it a piece of the variant requires.
        pub required_quantity: Number,
    }
}

impl Ids {
    /// Of these records.
    pub fn of<T: ToString>(ids: &[T]) -> Self {
        Ids { ids: ids.iter().map(T::to_string).collect() }
    }
}

impl OfFulfillment {
    /// This fulfilment of this order.
    pub fn of(order_id: &str, fulfillment_id: &str) -> OfFulfillment {
        OfFulfillment { order_id: order_id.to_owned(), fulfillment_id: fulfillment_id.to_owned() }
    }
}
