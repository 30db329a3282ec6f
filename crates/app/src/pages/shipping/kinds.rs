//! Shipping profiles and types of shipping options.

use atoll_kernel::Fault;
use atoll_pages::{Form, Next, Page, PageCall, admin_page};

use crate::pages::texts::{TextField, Texts};

admin_page! {
    "/shipping/profiles" => profiles, change_profiles;
    "/shipping/types" => types, change_types;
}

const PROFILES: Texts = Texts {
    at: "/shipping/profiles",
    title: "Shipping profiles",
    called: "profile",
    about: "Goods that are shipped alike. A product has a profile, and the shipping options of that profile \
            ship it. Most shops need one.",
    route: "/admin/shipping-profiles",
    many: "shipping_profiles",
    fields: &[
        TextField { name: "name", label: "Name", hint: "", is_required: true },
        TextField {
            name: "type",
            label: "What its goods have in common",
            hint: "A word of your own: default, oversized.",
            is_required: true,
        },
    ],
    above: Some(("/shipping", "Shipping")),
    beside: Some(("/shipping/types", "Types of shipping options")),
};

const TYPES: Texts = Texts {
    at: "/shipping/types",
    title: "Types of shipping options",
    called: "type",
    about: "What storefronts may show beside the name of a shipping option, and promotions on shipping ask \
            for.",
    route: "/admin/shipping-option-types",
    many: "shipping_option_types",
    fields: &[
        TextField { name: "label", label: "Name", hint: "", is_required: true },
        TextField { name: "code", label: "Code", hint: "For programs: express.", is_required: true },
        TextField { name: "description", label: "Explanation for buyers", hint: "", is_required: false },
    ],
    above: Some(("/shipping", "Shipping")),
    beside: Some(("/shipping/profiles", "Shipping profiles")),
};

async fn profiles(call: PageCall) -> Result<Page, Fault> {
    PROFILES.page(&call).await
}

async fn change_profiles(call: PageCall, form: Form) -> Result<Next, Fault> {
    PROFILES.change(&call, &form).await
}

async fn types(call: PageCall) -> Result<Page, Fault> {
    TYPES.page(&call).await
}

async fn change_types(call: PageCall, form: Form) -> Result<Next, Fault> {
    TYPES.change(&call, &form).await
}
