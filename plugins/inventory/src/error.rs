//! Errors of stock and reservations. The texts are the wire's.

use atoll_kernel::{Decimal, Fault, data::RowError, store_errors};

use crate::InventoryLevel;

/// Why stock was not changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The item has no level at the location.
    #[error("Item {item} is not stocked at location {location}")]
    NotStocked {
        /// The item.
        item: String,
        /// The location.
        location: String,
    },
    /// The available quantity is less than the requested one.
    #[error("Not enough stock available for item {item} at location {location}")]
    NotEnough {
        /// The item.
        item: String,
        /// The location.
        location: String,
    },
    /// The reserved quantity of a line is less than the requested one.
    #[error("Quantity to fulfill exceeds the reserved quantity for the item: {0}")]
    NotReserved(String),
    /// The quantity of a reservation must be greater than zero.
    #[error("a reservation of {quantity} is not possible: the quantity must be greater than 0")]
    NothingToReserve {
        /// The requested quantity.
        quantity: Decimal,
    },
    /// The stock must not fall below the reserved quantity.
    #[error(
        "cannot set the stock of item {} at location {} to {stocked}: {} of it is reserved",
        level.inventory_item_id, level.location_id, level.reserved_quantity
    )]
    BelowReserved {
        /// The level as it is.
        level: Box<InventoryLevel>,
        /// The requested quantity.
        stocked: Decimal,
    },
    /// The level has reservations.
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
            Error::NothingToReserve { .. } | Error::NotReserved(_) => Fault::invalid(error.to_string()),
            Error::Row(error) => error.into(),
        }
    }
}
