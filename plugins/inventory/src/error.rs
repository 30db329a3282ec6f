//! What can go wrong with stock. The texts are the wire's.

use atoll_kernel::{Decimal, Fault, RowError, store_errors};

use crate::InventoryLevel;

/// Why stock was not changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no level for the item at the location.
    #[error("Item {item} is not stocked at location {location}")]
    NotStocked {
        /// The item.
        item: String,
        /// The location.
        location: String,
    },
    /// Less is available than is asked for.
    #[error("Not enough stock available for item {item} at location {location}")]
    NotEnough {
        /// The item.
        item: String,
        /// The location.
        location: String,
    },
    /// Less was promised to a line than it asks for.
    #[error("Quantity to fulfill exceeds the reserved quantity for the item: {0}")]
    NotPromised(String),
    /// Reservations are of something.
    #[error("a reservation of {quantity} is not possible: the quantity must be greater than 0")]
    NothingToReserve {
        /// What was asked for.
        quantity: Decimal,
    },
    /// The stock may not fall below what is promised.
    #[error(
        "cannot set the stock of item {} at location {} to {stocked}: {} of it is reserved",
        level.inventory_item_id, level.location_id, level.reserved_quantity
    )]
    BelowReserved {
        /// What lies there, and what of it is promised.
        level: Box<InventoryLevel>,
        /// What was asked for.
        stocked: Decimal,
    },
    /// Somebody was promised some of it.
    #[error(
        "Cannot remove Inventory Level {item} at Location {location} because there are reservations at location"
    )]
    LevelReserved {
        /// The item.
        item: String,
        /// The location.
        location: String,
    },
    /// The rows could not be read or written.
    #[error(transparent)]
    Row(#[from] RowError),
}

store_errors!(Error);

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::NotStocked { .. } => Fault::not_found(error.to_string()),
            Error::NotEnough { .. } | Error::BelowReserved { .. } | Error::LevelReserved { .. } => {
                Fault::not_allowed(error.to_string())
            }
            Error::NothingToReserve { .. } | Error::NotPromised(_) => Fault::invalid(error.to_string()),
            Error::Row(error) => error.into(),
        }
    }
}
