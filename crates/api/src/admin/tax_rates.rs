//! Admin routes of tax rates and their rules: `/admin/tax-rates`.

use atoll_flows::tax::{
    CREATE_TAX_RATE_RULES, CREATE_TAX_RATES, DELETE_TAX_RATE_RULES, DELETE_TAX_RATES, UPDATE_TAX_RATES,
};
use atoll_kernel::{
    Fault,
    http::{Answer, Body, Call, Deleted, Field, Params, Reply, Resource, Type, optional, required},
    part_of, routes,
};
use atoll_tax::{NewTaxRate, NewTaxRule, TaxRateChanges};

use crate::{
    body::{Fields, read, take},
    crud::crud,
    reply::{only, perform, remove_from},
    tables::{METADATA, ONE, any, date, flag, list},
};

part_of! { "tax" }

crud! {
    of TAX_RATE at "/admin/tax-rates" for Admin;
    called "a tax rate" / "tax rates";
    not_found "Tax rate with id \"{}\" not found";
    page LIST;
    find ONE;
    delete "tax_rate" by DELETE_TAX_RATES;
}

routes! {
    of TAX_RATE;
    /// Creates a tax rate of a tax region: the default one, or one for what its rules name.
    Post "/admin/tax-rates" (Admin, ONE, CREATE) => create;
    /// Updates a tax rate. Fields that are absent stay as they are; rules are replaced.
    Post "/admin/tax-rates/:id" (Admin, ONE, UPDATE) => update;
    /// Adds a rule to a tax rate.
    Post "/admin/tax-rates/:id/rules" (Admin, ONE, RULE) => add_rule;
    /// Removes a rule from a tax rate.
    Delete "/admin/tax-rates/:id/rules/:rule_id" (Admin, ONE) => remove_rule: Answer::DeletedFrom(&TAX_RATE);
}

static TAX_RATE: Resource = Resource {
    entity: "tax_rate",
    one: "tax_rate",
    many: "tax_rates",
    fields: &[
        "id", "name", "code", "rate", "tax_region_id", "is_default", "is_combinable", "created_by",
        "created_at", "updated_at", "deleted_at", "metadata", "*tax_region", "*rules",
    ],
    store_fields: None,
    renamed: &[],
};

const LIST: Params = list(
    &[any("tax_region_id"), flag("is_default"), date("created_at"), date("updated_at"), date("deleted_at")],
    20,
);

const RULE: Body = &[&[
    required("reference", Type::Words(&["product", "product_type", "shipping_option"])),
    required("reference_id", Type::Text),
]];
const CREATE: Body = &[
    &[required("code", Type::Text), required("name", Type::Text), required("tax_region_id", Type::Text)],
    MORE,
];
const UPDATE: Body = &[&[optional("code", Type::Text), optional("name", Type::Text)], MORE];
const MORE: &[Field] = &[
    optional("rate", Type::NotNegative),
    optional("rules", Type::List(&Type::Strict(RULE))).about("What the rate is for, of what it taxes."),
    optional("is_default", Type::Bool),
    optional("is_combinable", Type::Bool),
    METADATA,
];

async fn create(mut call: Call) -> Result<Reply, Fault> {
    let mut fields: Fields = call.read()?;
    let rules = take(&mut fields, "rules")?.unwrap_or_default();
    let new = NewTaxRate { rate: read(fields)?, rules };
    perform(&TAX_RATE, call, move |flow| only(flow.run(&CREATE_TAX_RATES, vec![new])?)).await
}

async fn update(mut call: Call) -> Result<Reply, Fault> {
    let mut fields: Fields = call.read()?;
    let rules = take(&mut fields, "rules")?;
    let changes = (call.path("id").to_owned(), TaxRateChanges { patch: read(fields)?, rules });
    perform(&TAX_RATE, call, move |flow| flow.run(&UPDATE_TAX_RATES, changes)).await
}

async fn add_rule(mut call: Call) -> Result<Reply, Fault> {
    let rule = (call.path("id").to_owned(), call.read::<NewTaxRule>()?);
    perform(&TAX_RATE, call, move |flow| flow.run(&CREATE_TAX_RATE_RULES, rule)).await
}

async fn remove_rule(call: Call) -> Result<Reply, Fault> {
    let ids = (call.path("id").to_owned(), call.path("rule_id").to_owned());
    let gone = Deleted::new(ids.1.as_str(), "tax_rate_rule");
    remove_from(&TAX_RATE, call, gone, move |flow| flow.run(&DELETE_TAX_RATE_RULES, ids)).await
}
