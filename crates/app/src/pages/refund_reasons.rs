//! Reasons of refunds.

use atoll_kernel::Fault;
use atoll_pages::{Form, Next, Page, PageCall, admin_page};

use super::texts::{TextField, Texts};

admin_page! {
    "/refund-reasons" as "Refund reasons" in Settings 60 => show, change;
}

const REASONS: Texts = Texts {
    at: "/refund-reasons",
    title: "Refund reasons",
    called: "reason",
    about: "Why money is paid back: chosen with each refund, and counted by bookkeeping.",
    route: "/admin/refund-reasons",
    many: "refund_reasons",
    fields: &[
        TextField { name: "label", label: "Name", hint: "", is_required: true },
        TextField { name: "code", label: "Code for bookkeeping", hint: "", is_required: true },
        TextField { name: "description", label: "Explanation", hint: "", is_required: false },
    ],
    above: None,
    beside: None,
};

async fn show(call: PageCall) -> Result<Page, Fault> {
    REASONS.page(&call).await
}

async fn change(call: PageCall, form: Form) -> Result<Next, Fault> {
    REASONS.change(&call, &form).await
}
