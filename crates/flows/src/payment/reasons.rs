//! Flows on reasons of refunds.

use atoll_payment::{REFUND_REASONS, RefundReason, RefundReasonPatch, delete_reason};

use crate::points::{
    REFUND_REASONS_CREATED, REFUND_REASONS_DELETED, REFUND_REASONS_UPDATED, VALIDATE_REFUND_REASONS,
};
use crate::records::record_flows;

record_flows! {
    refund_reasons: RefundReason, from RefundReason, RefundReasonPatch, event "refund-reason";
    CREATE_REFUND_REASONS = "create-refund-reasons-workflow" (VALIDATE_REFUND_REASONS, REFUND_REASONS_CREATED) by
        |tx, at, it| REFUND_REASONS.create(tx, at, it);
    UPDATE_REFUND_REASONS = "update-refund-reasons" (REFUND_REASONS_UPDATED) by
        |tx, at, id, it| REFUND_REASONS.update(tx, at, id, it);
    DELETE_REFUND_REASONS = "delete-refund-reasons-workflow" (REFUND_REASONS_DELETED) by delete_reason;
}
