//! The crates of the core. The linker keeps a crate only if source text names it, which this file does. A
//! module or an extension of yours is linked in by the binary, `crates/host/src/bin/atoll.rs`.

#![deny(unused_crate_dependencies)]

use atoll_api as _;
use atoll_api_key as _;
use atoll_auth as _;
use atoll_availability as _;
use atoll_background as _;
use atoll_cart as _;
use atoll_customer as _;
use atoll_flows as _;
use atoll_fulfillment as _;
use atoll_inventory as _;
use atoll_links as _;
use atoll_local_files as _;
use atoll_order as _;
use atoll_payment as _;
use atoll_pricing as _;
use atoll_product as _;
use atoll_promotion as _;
use atoll_region as _;
use atoll_sales_channel as _;
use atoll_stock_location as _;
use atoll_store as _;
use atoll_tax as _;
use atoll_user as _;
