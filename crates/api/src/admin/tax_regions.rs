//! Admin routes of tax regions, countries and provinces: `/admin/tax-regions`.

use atoll_flows::tax::{CREATE_TAX_REGIONS, DELETE_TAX_REGIONS, UPDATE_TAX_REGIONS};
use atoll_kernel::{
    Fault,
    http::{Body, Call, Params, Reply, Resource, Type, optional, required},
    part_of, routes,
};
use atoll_tax::NewTaxRegion;

use crate::{
    body::{Fields, read, take},
    crud::crud,
    reply::{only, perform},
    tables::{METADATA, ONE, any, any_or_null, date, list, text},
};

part_of! { "tax" }

crud! {
    of TAX_REGION at "/admin/tax-regions" for Admin;
    called "a tax region" / "tax regions";
    not_found "TaxRegion with id \"{}\" not found";
    page LIST;
    find ONE;
    update ONE, UPDATE by UPDATE_TAX_REGIONS;
    /// Its rates and its provinces are deleted with it.
    delete "tax_region" by DELETE_TAX_REGIONS;
}

routes! {
    of TAX_REGION;
    /// Creates a tax region: of a country, with a provider, or of a province, with the region of its country
    /// as parent.
    Post "/admin/tax-regions" (Admin, ONE, CREATE) => create;
}

static TAX_REGION: Resource = Resource {
    entity: "tax_region",
    one: "tax_region",
    many: "tax_regions",
    fields: &[
        "id", "country_code", "province_code", "parent_id", "provider_id", "created_by", "created_at",
        "updated_at", "deleted_at", "metadata", "*children", "*children.tax_rates",
        "*children.tax_rates.rules", "*parent", "*tax_rates", "*tax_rates.rules",
    ],
    store_fields: None,
    renamed: &[],
};

const LIST: Params = list(
    &[
        any("id"),
        any("country_code"),
        any_or_null("province_code"),
        any_or_null("parent_id"),
        any("created_by"),
        date("created_at"),
        date("updated_at"),
        date("deleted_at"),
    ],
    20,
);

const DEFAULT_RATE: Type = Type::Strict(&[&[
    optional("rate", Type::NotNegative).about("In percent."),
    required("code", Type::Text).about("A code for bookkeeping."),
    required("name", Type::Text).about("The name of the tax, as buyers see it."),
    optional("is_combinable", Type::Bool)
        .about("Is the rate of the country added to this one of a province?"),
    METADATA,
]]);
const CREATE: Body = &[&[
    required("country_code", Type::Text),
    text("provider_id"),
    text("province_code"),
    text("parent_id"),
    optional("default_tax_rate", DEFAULT_RATE).about("The default rate of the region."),
    METADATA,
]];
const UPDATE: Body = &[&[text("province_code"), optional("provider_id", Type::Text), METADATA]];

async fn create(mut call: Call) -> Result<Reply, Fault> {
    let mut fields: Fields = call.read()?;
    let default_rate = take(&mut fields, "default_tax_rate")?;
    let new = NewTaxRegion { region: read(fields)?, default_rate };
    perform(&TAX_REGION, call, move |flow| only(flow.run(&CREATE_TAX_REGIONS, vec![new])?)).await
}
