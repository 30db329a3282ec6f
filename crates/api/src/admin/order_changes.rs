//! Admin routes of changes of orders: `/admin/orders/:id/changes`, and transfers to other customers.

use std::sync::Arc;

use atoll_kernel::{
    Fault,
    data::Node,
    http::{Answer, Call, Param, ParamKind, Params, Part, Reply, Resource, Type},
    routes,
};
use atoll_order::{CHANGES_BY_ORDER, ChangeStatus, ORDER_CHANGES, ORDERS};

routes! {
    of CHANGE;
    /// Lists the changes of an order, the oldest first. The token of a transfer is shown to nobody.
    Get "/admin/orders/:id/changes" (Admin, CHANGES) => index: LIST;
}

/// The routes that leave with the module of customers.
mod of_customers {
    use atoll_flows::order::{
        CANCEL_ORDER_TRANSFER, REQUEST_ORDER_TRANSFER, RequestTransfer, TRANSFER_ORDER_TO_GUEST,
        TransferToGuest, transfer_token,
    };
    use atoll_kernel::{
        Fault,
        http::{Body, Call, Reply, Type, optional, required},
        part_of, routes,
    };

    use crate::{
        admin::orders::ORDER,
        reply::perform,
        tables::{NOTHING, ONE, text},
    };

    part_of! { "customer" }

    routes! {
        of ORDER;
        /// Asks for the transfer of an order to a customer with an account. Who has the e-mail address of the
        /// order gets a token, by which they accept or decline.
        Post "/admin/orders/:id/transfer" (Admin, ONE, REQUEST) => request;
        /// Withdraws the transfer of an order.
        Post "/admin/orders/:id/transfer/cancel" (Admin, ONE, NOTHING) => cancel;
        /// Transfers an order to the guest with an e-mail address, at once.
        Post "/admin/orders/:id/transfer/guest" (Admin, ONE, GUEST) => to_guest;
    }

    const REQUEST: Body = &[&[
        required("customer_id", Type::Text),
        text("description").about("A text for whoever decides."),
        text("internal_note").about("A text for admins."),
        optional("update_order_email", Type::Bool)
            .about("Whether the order gets the customer's e-mail address."),
    ]];
    const GUEST: Body = &[&[
        required("email", Type::Email),
        text("description").about("Why."),
        text("internal_note").about("A text for admins."),
    ]];

    async fn request(mut call: Call) -> Result<Reply, Fault> {
        let input = RequestTransfer { order_id: call.path("id").to_owned(), ..call.read()? };
        let token = transfer_token(&call.app, &input.order_id)?;
        perform(&ORDER, call, move |flow| flow.run(&REQUEST_ORDER_TRANSFER, (input, token))).await
    }

    async fn cancel(call: Call) -> Result<Reply, Fault> {
        let id = call.path("id").to_owned();
        perform(&ORDER, call, move |flow| flow.run(&CANCEL_ORDER_TRANSFER, id)).await
    }

    async fn to_guest(mut call: Call) -> Result<Reply, Fault> {
        let input = TransferToGuest { order_id: call.path("id").to_owned(), ..call.read()? };
        perform(&ORDER, call, move |flow| flow.run(&TRANSFER_ORDER_TO_GUEST, input)).await
    }
}

static CHANGE: Resource = Resource {
    entity: "order_change",
    one: "order_change",
    many: "order_changes",
    fields: &[
        "id", "order_id", "return_id", "claim_id", "exchange_id", "version", "change_type", "description",
        "status", "internal_note", "created_by", "requested_by", "requested_at", "confirmed_by",
        "confirmed_at", "declined_by", "declined_reason", "metadata", "declined_at", "canceled_by",
        "canceled_at", "created_at", "updated_at", "carry_over_promotions", "no_notification", "*actions",
    ],
    store_fields: None,
    renamed: &[],
};

/// The types of changes that dashboards ask for; ours are transfers.
const CHANGE_TYPES: &[&str] = &[
    "claim", "credit_line", "edit", "exchange", "return_receive", "return_request", "transfer",
    "update_order",
];

const CHANGES: Params = Params {
    own: &[
        Param::new("status", ParamKind::Words(ChangeStatus::WORDS)),
        Param::new("change_type", ParamKind::Words(CHANGE_TYPES)),
    ],
    limit: None,
    strict: true,
};
const LIST: Answer =
    Answer::Object(&[Part::value("order_changes", Type::List(&Type::Record), "The changes.")]);

async fn index(mut call: Call) -> Result<Reply, Fault> {
    let id = call.path("id").to_owned();
    if !ORDERS.table.exists(&call.view, &id)? {
        return Err(Fault::not_found(format!("Order id not found: {id}")));
    }
    let (statuses, kinds) = (call.params.take("status"), call.params.take("change_type"));
    let mut changes = ORDER_CHANGES.table.list_by(&call.view, &CHANGES_BY_ORDER, &[&id])?;
    changes.retain(|it| {
        let is_among = |named: &Option<Vec<String>>, own: &str| {
            named.as_ref().is_none_or(|all| all.iter().any(|it| it == own))
        };
        is_among(&statuses, it.status.as_str())
            && is_among(&kinds, it.change_type.as_deref().unwrap_or_default())
    });
    let nodes: Vec<Node> = changes.into_iter().map(|it| Arc::new(it) as Node).collect();
    let plan = CHANGE.plan(&call);
    plan.check(&call.view)?;
    let mut json = b"[".to_vec();
    plan.write_all(&call.view, nodes, &mut json)?;
    json.push(b']');
    Reply::object(|envelope| {
        envelope.name("order_changes").extend(json);
        Ok(())
    })
}
