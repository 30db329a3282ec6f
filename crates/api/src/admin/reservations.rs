//! Admin routes of stock reservations: `/admin/reservations`.

use atoll_flows::reservation::{CREATE_RESERVATIONS, DELETE_RESERVATIONS, UPDATE_RESERVATIONS};
use atoll_inventory::ReservationItem;
use atoll_kernel::{
    Fault,
    data::joined,
    http::{Body, Call, Field, Param, ParamKind, Params, Reply, Resource, Type, optional, required},
    routes,
};

use crate::{
    crud::crud,
    reply::{only, perform},
    tables::{METADATA, ONE, any, date, list, text, under},
};

crud! {
    of RESERVATION at "/admin/reservations" for Admin;
    called "a reservation" / "reservations";
    not_found "Reservation with id: {} was not found";
    page LIST;
    find ONE;
    update ONE, UPDATE by UPDATE_RESERVATIONS;
    /// The stock becomes available.
    delete "reservation" by DELETE_RESERVATIONS;
}

routes! {
    of RESERVATION;
    /// Reserves stock of an inventory item at a location. A line of an order is promised no more than what it
    /// needs and was not fulfilled.
    Post "/admin/reservations" (Admin, ONE, CREATE) => create;
}

static RESERVATION: Resource = Resource {
    entity: "reservation_item",
    one: "reservation",
    many: "reservations",
    fields: joined![
        [
            "id", "location_id", "inventory_item_id", "quantity", "line_item_id", "description", "metadata",
            "created_at", "updated_at"
        ],
        under!("inventory_item": "id", "sku", "title", "description", "thumbnail", "origin_country",
            "hs_code", "requires_shipping", "mid_code", "material", "unit_of_measure", "weight", "length",
            "height", "width", "metadata", "reserved_quantity", "stocked_quantity", "created_at", "updated_at"),
    ],
    store_fields: None,
    renamed: &[],
};

const LIST: Params = list(
    &[
        any("id"),
        any("location_id"),
        any("inventory_item_id"),
        any("line_item_id"),
        any("created_by"),
        any("description"),
        Param::new("quantity", ParamKind::Number),
        date("created_at"),
        date("updated_at"),
    ],
    20,
);

const CREATE: Body = &[
    &[
        required("location_id", Type::Text),
        required("inventory_item_id", Type::Text),
        required("quantity", Type::Positive),
        text("line_item_id"),
    ],
    MORE,
];
const UPDATE: Body = &[&[optional("location_id", Type::Text), optional("quantity", Type::Positive)], MORE];
const MORE: &[Field] = &[text("description"), METADATA];

async fn create(mut call: Call) -> Result<Reply, Fault> {
    let created_by = Some(call.pass.actor.id().to_owned());
    let promise = ReservationItem { created_by, ..call.read::<ReservationItem>()? };
    perform(&RESERVATION, call, move |flow| only(flow.run(&CREATE_RESERVATIONS, vec![promise])?)).await
}
