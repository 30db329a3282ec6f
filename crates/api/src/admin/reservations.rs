//! `/admin/reservations`

use atoll_flows::reservation::{CREATE_RESERVATIONS, DELETE_RESERVATIONS, UPDATE_RESERVATIONS};
use atoll_inventory::ReservationItem;
use atoll_kernel::{
    Body, Call, Fault, Field, Param, ParamKind, Params, Reply, Resource, Type, optional, required, routes,
};

use crate::{
    reply::{find, only, page, perform, remove_by, update_by},
    tables::{METADATA, ONE, any, date, list, text},
};

routes! {
    of RESERVATION;
    Get "/admin/reservations" (Admin, LIST) => index;
    Post "/admin/reservations" (Admin, ONE, CREATE) => create;
    Get "/admin/reservations/:id" (Admin, ONE) => retrieve;
    Post "/admin/reservations/:id" (Admin, ONE, UPDATE) => update;
    Delete "/admin/reservations/:id" (Admin, ONE) => delete;
}

static RESERVATION: Resource = Resource {
    entity: "reservation_item",
    one: "reservation",
    many: "reservations",
    fields: &[
        "id", "location_id", "inventory_item_id", "quantity", "line_item_id", "description", "metadata",
        "created_at", "updated_at", "inventory_item.id", "inventory_item.sku", "inventory_item.title",
        "inventory_item.description", "inventory_item.thumbnail", "inventory_item.origin_country",
        "inventory_item.hs_code", "inventory_item.requires_shipping", "inventory_item.mid_code",
        "inventory_item.material", "inventory_item.unit_of_measure", "inventory_item.weight",
        "inventory_item.length", "inventory_item.height", "inventory_item.width", "inventory_item.metadata",
        "inventory_item.reserved_quantity", "inventory_item.stocked_quantity", "inventory_item.created_at",
        "inventory_item.updated_at",
    ],
    offer: None,
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

async fn index(call: Call) -> Result<Reply, Fault> {
    page(&RESERVATION, call, Vec::new())
}

async fn retrieve(call: Call) -> Result<Reply, Fault> {
    find(&RESERVATION, &call, |id| format!("Reservation with id: {id} was not found"))
}

async fn create(mut call: Call) -> Result<Reply, Fault> {
    let created_by = Some(call.pass.actor.id().to_owned());
    let promise = ReservationItem { created_by, ..call.read::<ReservationItem>()? };
    perform(&RESERVATION, call, move |flow| only(flow.run(&CREATE_RESERVATIONS, vec![promise.clone()])?))
        .await
}

async fn update(call: Call) -> Result<Reply, Fault> {
    update_by(&RESERVATION, call, &UPDATE_RESERVATIONS).await
}

async fn delete(call: Call) -> Result<Reply, Fault> {
    remove_by(call, "reservation", &DELETE_RESERVATIONS).await
}
