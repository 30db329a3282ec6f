//! The built-in fulfilment provider for shipping by the shop's own hands, and the records of all providers
//! that are linked in.

use atoll_checkout::{Fulfilling, FulfillmentProvider};
use atoll_kernel::{
    Ctx, Id, Metadata, Moment, Write,
    data::RowError,
    provider,
    registry::Providers,
    serde_json::{Map, Value},
};

use crate::{FULFILLMENT_PROVIDERS, FulfillmentProviderRecord};

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

/// Creates a record for each provider that serves, and disables those that do not serve any more.
pub(crate) fn seed(tx: &mut dyn Write, at: &Moment, providers: &Providers) -> Result<(), RowError> {
    let serving: Vec<&str> = providers.of::<dyn FulfillmentProvider>().map(|(id, _)| id).collect();
    for id in &serving {
        if !FULFILLMENT_PROVIDERS.table.exists(tx, id)? {
            let record =
                FulfillmentProviderRecord { id: Id::from(*id), ..FulfillmentProviderRecord::default() };
            FULFILLMENT_PROVIDERS.create(tx, at, record)?;
        }
    }
    for record in FULFILLMENT_PROVIDERS.table.list_all(tx)? {
        let is_enabled = serving.contains(&&*record.id);
        FULFILLMENT_PROVIDERS
            .update(tx, at, &record.id, |it: &mut FulfillmentProviderRecord| it.is_enabled = is_enabled)?;
    }
    Ok(())
}
