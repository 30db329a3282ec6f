//! __Title__: a process over several modules.

mod routes;

use atoll_flows::sales_channel::CREATE_SALES_CHANNELS;
use atoll_kernel::{Fault, flow, flow::Local};
use atoll_sales_channel::SalesChannel;

flow! {
    /// Opens a sales channel; answers its id.
    pub static __NAME__: Flow<String, String> = "__name__" (__snake__);
}

fn __snake__(flow: &mut Local<'_>, name: String) -> Result<String, Fault> {
    let channel = SalesChannel { name, ..SalesChannel::default() };
    let opened = flow.run(&CREATE_SALES_CHANNELS, vec![channel])?;
    Ok(opened[0].id.to_string())
}
