//! `/admin/reservations`

use atoll_kernel::{Call, Fault, Param, ParamKind, Params, Reply, Resource, routes};

use crate::{
    reply::{find, page},
    tables::{ONE, any, date, list},
};

routes! {
    Get "/admin/reservations" (Admin, LIST) => index;
    Get "/admin/reservations/:id" (Admin, ONE) => retrieve;
}

static RESERVATION: Resource = Resource {
    entity: "reservation_item",
    one: "reservation",
    many: "reservations",
    fields: &[
        "id", "location_id", "inventory_item_id", "quantity", "line_item_id", "description", "metadata",
        "created_at", "updated_at", "inventory_item.id", "inventory_item.sku", "inventory_item.title",
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

async fn index(call: Call) -> Result<Reply, Fault> {
    page(&RESERVATION, call, Vec::new())
}

async fn retrieve(call: Call) -> Result<Reply, Fault> {
    find(&RESERVATION, &call, |id| format!("Reservation with id: {id} was not found"))
}
