//! The built-in fulfilment provider for shipping by the shop's own hands, and the records of all providers
//! that are linked in.

use atoll_checkout::{Fulfilling, FulfillmentProvider};
use atoll_kernel::{
    Ctx, Metadata, Moment, Write,
    data::RowError,
    provider,
    registry::Providers,
    serde_json::{Map, Value},
};

use crate::FULFILLMENT_PROVIDERS;

/// Id of the provider.
pub const MANUAL: &str = "manual_manual";

struct Manual;

impl FulfillmentProvider for Manual {
    fn is_manual(&self) -> bool {
        true
    }

    fn options(&self, _: Ctx) -> Fulfilling<Vec<Metadata>> {
        let service = |id: &str| Map::from_iter([("id".to_owned(), Value::from(id))]);
        let mut return_service = service("manual-fulfillment-return");
        return_service.insert("is_return".to_owned(), true.into());
        let services = [service("manual-fulfillment"), return_service];
        Box::pin(async { Ok(services.map(|it| Metadata(Some(it))).into()) })
    }
}

provider! { dyn FulfillmentProvider: MANUAL => Manual }

/// Writes the records of the providers.
pub(crate) fn seed(tx: &mut dyn Write, at: &Moment, providers: &Providers) -> Result<(), RowError> {
    providers.record::<dyn FulfillmentProvider, _>(tx, at, &FULFILLMENT_PROVIDERS, |it| &mut it.is_enabled)
}
