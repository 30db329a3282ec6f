//! Flows on carts: create, update, line items, prices, transfer, completion.

mod add_line_item;
mod asked;
mod buyer;
mod complete_cart;
mod create_cart;
mod delete_expired;
pub(crate) mod line;
mod prices;
mod promotions;
mod remove_line_item;
mod require_shipping;
pub(crate) mod settle;
mod shipping;
mod taxes;
mod transfer_cart;
mod update_cart;
mod update_line_item;

pub use add_line_item::{ADD_TO_CART, AddLine, AddToCart};
pub(crate) use asked::call_of;
pub use asked::{ProviderAnswers, RECORD_PROVIDER_ANSWERS, ask_providers, in_time, shipping_price};
use atoll_availability::ChannelScope;
pub(crate) use complete_cart::{AWAIT_PAYMENT, PaymentDecision, awaited_session};
pub use complete_cart::{COMPLETE_CART, CompleteCart, give_up_replaced};
pub use create_cart::{CREATE_CART, CreateCart};
pub use delete_expired::{DELETE_EXPIRED_CARTS, DeleteExpired, Position, expired_carts};
pub use prices::REFRESH_CART_ITEMS;
pub use promotions::{CodeChange, UPDATE_CART_PROMOTIONS, UpdateCodes};
pub use remove_line_item::{DELETE_LINE_ITEMS, DeleteLineItems};
pub use require_shipping::unable_to_ship;
pub use shipping::{ADD_SHIPPING_METHODS, ChooseShipping, ChosenOption, check_data};
pub use taxes::UPDATE_TAX_LINES;
pub use transfer_cart::{TRANSFER_CART_CUSTOMER, TransferCart};
pub use update_cart::{UPDATE_CART, UpdateCart};
pub use update_line_item::{UPDATE_LINE_ITEM, UpdateLineItem};

/// Input of a store route, with the scope of its key.
#[derive(Clone, Debug)]
pub struct Scoped<T> {
    /// The channels of the publishable key.
    pub scope: ChannelScope,
    /// Input of the flow.
    pub input: T,
}
