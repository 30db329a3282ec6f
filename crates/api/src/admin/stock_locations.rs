//! Admin routes of stock locations: `/admin/stock-locations`.

use atoll_flows::{
    sales_channel::LINK_SALES_CHANNELS_TO_STOCK_LOCATION,
    stock_location::{CREATE_STOCK_LOCATIONS, DELETE_STOCK_LOCATIONS, UPDATE_STOCK_LOCATIONS},
};
use atoll_kernel::{
    Fault,
    data::joined,
    http::{Body, Call, Field, Params, Reply, Resource, Type, optional, required},
    routes,
};
use atoll_stock_location::STOCK_LOCATIONS;

use crate::{
    crud::crud,
    reply::{link_ids, perform},
    tables::{LINK, METADATA, ONE, any, date, list, nested, text, under},
};

crud! {
    of STOCK_LOCATION at "/admin/stock-locations" for Admin;
    called "a stock location" / "stock locations";
    not_found "Stock location with id: {} was not found";
    page LIST;
    find ONE;
    /// It serves no sales channel until it is linked to one.
    create ONE, CREATE by CREATE_STOCK_LOCATIONS;
    update ONE, UPDATE by UPDATE_STOCK_LOCATIONS;
    /// One with stock or reservations is refused.
    delete "stock_location" by DELETE_STOCK_LOCATIONS;
}

routes! {
    with "sales_channels";
    of STOCK_LOCATION;
    /// Links a stock location to sales channels, and unlinks others. A channel sells the stock of its
    /// locations.
    Post "/admin/stock-locations/:id/sales-channels" (Admin, ONE, LINK) => link_channels;
}

/// The routes that leave with the module of shipping.
mod of_fulfillment {
    use atoll_flows::fulfillment::{
        CREATE_LOCATION_FULFILLMENT_SET, LINK_PROVIDERS_TO_STOCK_LOCATION, NewFulfillmentSet,
    };
    use atoll_kernel::{
        Fault,
        http::{Body, Call, Reply, Type, required},
        part_of, routes,
    };
    use atoll_stock_location::STOCK_LOCATIONS;

    use super::{STOCK_LOCATION, not_found};
    use crate::{
        reply::{link_by, perform},
        tables::{LINK, METADATA, ONE},
    };

    part_of! { "fulfillment" }

    routes! {
        of STOCK_LOCATION;
        /// Creates a fulfilment set of a stock location: a way in which it hands over goods. It has at most
        /// 20 of them.
        Post "/admin/stock-locations/:id/fulfillment-sets" (Admin, ONE, SET) => create_set;
        /// Lets fulfilment providers ship from a stock location, and others no more: their shipping options
        /// there are not offered any more.
        Post "/admin/stock-locations/:id/fulfillment-providers" (Admin, ONE, LINK) => link_providers;
    }

    const SET: Body = &[&[
        required("name", Type::Text).about("Its display name, which no other fulfilment set has."),
        required("type", Type::Text).about("The kind of handover: `shipping` or `pickup`, or another word."),
        METADATA,
    ]];

    async fn create_set(mut call: Call) -> Result<Reply, Fault> {
        let location_id = call.path("id").to_owned();
        let new = NewFulfillmentSet { location_id: location_id.clone(), set: call.read()? };
        perform(&STOCK_LOCATION, call, move |flow| {
            flow.run(&CREATE_LOCATION_FULFILLMENT_SET, new)?;
            Ok(STOCK_LOCATIONS.retrieve(flow.tx, &location_id)?)
        })
        .await
    }

    async fn link_providers(call: Call) -> Result<Reply, Fault> {
        link_by(&STOCK_LOCATION, call, &LINK_PROVIDERS_TO_STOCK_LOCATION, &STOCK_LOCATIONS, not_found).await
    }
}

static STOCK_LOCATION: Resource = Resource {
    entity: "stock_location",
    one: "stock_location",
    many: "stock_locations",
    fields: joined![
        ["id", "name", "metadata", "created_at", "updated_at"],
        under!("address": "id", "address_1", "address_2", "city", "country_code", "phone", "province",
            "postal_code", "metadata"),
    ],
    store_fields: None,
    renamed: &[("address_id", "address.id"), ("sales_channel_id", "sales_channels.id")],
};

const LIST: Params = list(
    &[
        any("id"),
        any("name"),
        any("address_id"),
        date("created_at"),
        date("updated_at"),
        date("deleted_at"),
        any("sales_channel_id"),
        nested("sales_channels", &[any("id"), any("name")]),
    ],
    20,
);
const ADDRESS: Type = Type::Object(&[
    required("address_1", Type::Text),
    required("country_code", Type::Text),
    text("address_2"),
    text("company"),
    text("city"),
    text("phone"),
    text("postal_code"),
    text("province"),
]);
const CREATE: Body = &[&[required("name", Type::Text)], MORE];
const UPDATE: Body = &[&[optional("name", Type::Text)], MORE];
const MORE: &[Field] = &[optional("address", ADDRESS).or_null(), METADATA];

async fn link_channels(call: Call) -> Result<Reply, Fault> {
    let ids = link_ids(&call);
    perform(&STOCK_LOCATION, call, move |flow| {
        let id = ids.id.clone();
        flow.run(&LINK_SALES_CHANNELS_TO_STOCK_LOCATION, ids)?;
        Ok(STOCK_LOCATIONS.retrieve(flow.tx, &id)?)
    })
    .await
}
