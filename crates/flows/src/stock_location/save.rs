//! Creating and updating stock locations, with their addresses.

use atoll_kernel::{
    Fault, Metadata,
    data::{Entity, present},
    flow,
    flow::Local,
    serde_json::{self, Map, Value},
};
use atoll_stock_location::{STOCK_LOCATIONS, StockLocation, StockLocationAddress, StockLocationPatch};
use serde::Deserialize;

use crate::points::{LOCATIONS_CREATED, LOCATIONS_UPDATED, OfId, Records, VALIDATE_ID, VALIDATE_LOCATIONS};

flow! {
    /// Creates stock locations.
    pub static CREATE_STOCK_LOCATIONS: Flow<Vec<StockLocation>, Vec<StockLocation>> =
        "create-stock-locations-workflow" (create), hooks: &[&VALIDATE_LOCATIONS, &LOCATIONS_CREATED];
}

fn create(flow: &mut Local<'_>, mut locations: Vec<StockLocation>) -> Result<Vec<StockLocation>, Fault> {
    for location in &mut locations {
        location.name = location.name.trim().to_owned();
    }
    flow.hook(&VALIDATE_LOCATIONS, || Records::of(&locations))?;
    let created = flow.step("create-stock-locations", |tx, at| {
        let create = |mut location: StockLocation| {
            if let Some(address) = &mut location.address {
                address.init(at.id(), at.now());
            }
            Ok(STOCK_LOCATIONS.create(tx, at, location)?)
        };
        locations.into_iter().map(create).collect::<Result<Vec<_>, Fault>>()
    })?;
    flow.hook(&LOCATIONS_CREATED, || Records::of(&created))?;
    Ok(created)
}

/// An update of a stock location: what is `None` stays as it is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct LocationChanges {
    /// Display name, for admins. Blanks around it are removed.
    #[serde(deserialize_with = "present")]
    pub name: Option<String>,
    /// The fields of the address to change; the others stay as they are. `Some(None)` removes the address.
    #[serde(deserialize_with = "present")]
    pub address: Option<Option<Map<String, Value>>>,
    /// Merged into the metadata of the record.
    #[serde(deserialize_with = "present")]
    pub metadata: Option<Metadata>,
}

flow! {
    /// Updates the stock location with this id.
    pub static UPDATE_STOCK_LOCATIONS: Flow<(String, LocationChanges), StockLocation> =
        "update-stock-locations-workflow" (update), hooks: &[&VALIDATE_ID, &LOCATIONS_UPDATED];
}

fn update(flow: &mut Local<'_>, (id, changes): (String, LocationChanges)) -> Result<StockLocation, Fault> {
    flow.hook(&VALIDATE_ID, || OfId::of(&id))?;
    let location = flow.step("update-stock-locations", |tx, at| {
        let LocationChanges { name, address, metadata } = changes;
        let address = match address {
            Some(Some(fields)) => {
                let before = STOCK_LOCATIONS.retrieve(tx, &id)?.address;
                let is_new = before.is_none();
                let mut address = changed(before, fields)?;
                if is_new {
                    address.init(at.id(), at.now());
                }
                Some(Some(address))
            }
            Some(None) => Some(None),
            None => None,
        };
        let name = name.map(|it| it.trim().to_owned());
        Ok(STOCK_LOCATIONS.update(tx, at, &id, StockLocationPatch { name, address, metadata })?)
    })?;
    flow.hook(&LOCATIONS_UPDATED, || Records::one(&location))?;
    Ok(location)
}

/// The address, or a new one, with these values in these fields.
fn changed(
    before: Option<StockLocationAddress>,
    fields: Map<String, Value>,
) -> Result<StockLocationAddress, Fault> {
    let Some(before) = before else { return read(Value::Object(fields)) };
    let mut address = serde_json::to_value(before).map_err(Fault::unexpected)?;
    if let Value::Object(address) = &mut address {
        address.extend(fields);
    }
    read(address)
}

fn read(address: Value) -> Result<StockLocationAddress, Fault> {
    serde_json::from_value(address).map_err(|error| Fault::invalid(format!("Invalid request: {error}")))
}
