//! Feature flag: an operator switches the extension off by `restock = false` below `[feature_flags]`.

use atoll_kernel::feature_flag;

feature_flag! {
    /// Shoppers are told of variants that are available again. While it is off, the routes are unknown and
    /// nobody is told; subscriptions still expire, and those that are left are told when it is on again.
    pub static RESTOCK = "restock", default: true;
}
