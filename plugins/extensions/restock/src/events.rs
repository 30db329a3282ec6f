//! Events: the names of those that the flows of this extension emit, each in the transaction that causes it.
//! They are declared, so that a subscriber to a name that nobody emits is found at the start.

use atoll_kernel::events;

/// A shopper has subscribed: `id`.
pub const SUBSCRIBED: &str = "restock.subscribed";

/// A shopper is told, once per subscription, that a channel can sell a variant: `id`, `email`,
/// `locale`, `customer_id`, `variant_id`, `sales_channel_id`, `quantity` (how many are wanted),
/// `available_quantity` (null if the stock is not managed). A subscriber mails it, where a provider sends
/// e-mails.
pub const AVAILABLE: &str = "restock.available";

/// A subscription was deleted on request: `id`.
pub const UNSUBSCRIBED: &str = "restock.unsubscribed";

/// A subscription was deleted because it has expired, and its shopper still waited: `id`, `email`,
/// `variant_id`.
pub const EXPIRED: &str = "restock.expired";

events! { SUBSCRIBED, AVAILABLE, UNSUBSCRIBED, EXPIRED }
