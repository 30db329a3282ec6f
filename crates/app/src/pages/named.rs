//! Records by id and name, as forms offer them: channels, regions, locations.

use atoll_kernel::{Fault, FaultKind};
use atoll_pages::{Address, PageCall};
use serde::Deserialize;

/// How many records a form offers to choose from.
const OFFERED_MAX: usize = 200;

/// A record with its name.
#[derive(Clone, Deserialize)]
pub(super) struct Named {
    pub(super) id: String,
    #[serde(alias = "title", alias = "value")]
    pub(super) name: String,
}

/// The records of a list, by name: `named(&call, "/admin/regions", "regions")`. A list that is switched off
/// has none.
pub(super) async fn named(call: &PageCall, at: &str, name: &str) -> Result<Vec<Named>, Fault> {
    let address = Address::of(at).with("fields", "id,name").with("order", "name").with("limit", OFFERED_MAX);
    match call.api().list(address, name).await {
        Ok(listed) => Ok(listed.records),
        Err(fault) if fault.kind() == FaultKind::NotFound => Ok(Vec::new()),
        Err(fault) => Err(fault),
    }
}

/// A provider as people read it: of `pp_stripe_main`, `stripe main`. The one that is built in asks nobody.
pub(super) fn provider_name(id: &str) -> String {
    match id {
        "pp_system_default" => "Manual payment".to_owned(),
        "manual_manual" => "Manual fulfilment".to_owned(),
        id => id.strip_prefix("pp_").unwrap_or(id).replace('_', " "),
    }
}
