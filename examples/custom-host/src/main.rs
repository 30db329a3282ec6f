//! A shop without fulfilment, and with notes on orders.

use std::process::ExitCode;

use atoll_host::Host;

fn main() -> ExitCode {
    Host::new().with(&order_notes::MODULE).without("fulfillment").main()
}
