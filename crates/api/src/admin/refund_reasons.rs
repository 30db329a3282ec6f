//! Admin routes of reasons of refunds: `/admin/refund-reasons`.

use atoll_flows::payment::{CREATE_REFUND_REASONS, DELETE_REFUND_REASONS, UPDATE_REFUND_REASONS};
use atoll_kernel::http::{Body, Params, Resource, Type, optional, required};

use crate::{
    crud::crud,
    tables::{METADATA, ONE, any, date, list, text},
};

crud! {
    of RESOURCE at "/admin/refund-reasons" for Admin;
    called "a reason of refunds" / "reasons of refunds";
    not_found "Refund reason with id: {} was not found";
    page LIST;
    find ONE;
    /// No two reasons have the same code.
    create ONE, CREATE by CREATE_REFUND_REASONS;
    update ONE, UPDATE by UPDATE_REFUND_REASONS;
    /// Refunds that have it keep its id.
    delete "refund_reason" by DELETE_REFUND_REASONS;
}

static RESOURCE: Resource = Resource {
    entity: "refund_reason",
    one: "refund_reason",
    many: "refund_reasons",
    fields: &["id", "label", "code", "description", "metadata", "created_at", "updated_at"],
    store_fields: None,
    renamed: &[],
};

const LIST: Params = list(
    &[any("id"), any("label"), any("code"), date("created_at"), date("updated_at"), date("deleted_at")],
    15,
);
const CREATE: Body =
    &[&[required("label", Type::Text), required("code", Type::Text), text("description"), METADATA]];
const UPDATE: Body =
    &[&[optional("label", Type::Text), optional("code", Type::Text), text("description"), METADATA]];
