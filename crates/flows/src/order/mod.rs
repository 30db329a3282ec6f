//! Flows on orders: place, update, fulfil, ship, deliver, complete, archive, cancel, transfer to another
//! customer.

mod add_credit;
mod archive;
mod cancel;
mod cancel_fulfillment;
mod carrier;
mod complete;
mod create;
mod fulfill;
mod out;
mod ship;
mod transfer;
mod update;

pub use add_credit::{CREATE_ORDER_CREDIT_LINES, NewCredit};
pub use archive::ARCHIVE_ORDER;
pub use cancel::CANCEL_ORDER;
pub use cancel_fulfillment::{CANCEL_ORDER_FULFILLMENT, CancelFulfillment};
pub use complete::COMPLETE_ORDER;
pub use create::CREATE_ORDERS;
pub use fulfill::{CREATE_ORDER_FULFILLMENT, CreateFulfillment, FulfillmentToCreate, LineQuantity};
pub(crate) use out::Out;
pub use ship::{CREATE_ORDER_SHIPMENT, CreateShipment, MARK_FULFILLMENT_DELIVERED, MarkDelivered};
pub use transfer::{
    ACCEPT_ORDER_TRANSFER, AnswerTransfer, CANCEL_ORDER_TRANSFER, DECLINE_ORDER_TRANSFER,
    REQUEST_ORDER_TRANSFER, RequestTransfer, TRANSFER_ORDER_TO_GUEST, TransferToGuest, transfer_token,
};
pub use update::{UPDATE_ORDER, UpdateOrder};
