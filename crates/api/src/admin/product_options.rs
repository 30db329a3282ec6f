//! `/admin/product-options`, and `/admin/products/:id/options`

use atoll_flows::product::{
    CREATE_PRODUCT_OPTIONS, DELETE_PRODUCT_OPTIONS, LINK_PRODUCT_OPTIONS, OptionLink, OptionLinks,
    UPDATE_PRODUCT_OPTIONS,
};
use atoll_kernel::{
    Answer, Body, Call, Deleted, Fault, Params, Read, Reply, Resource, Type, optional, required, resources,
    routes,
};
use atoll_product::{
    OPTION_VALUES, OPTIONS, OptionInput, PRODUCTS, ProductOptionValuePatch, delete_option_value,
};

use crate::{
    admin::{
        product_body::{EXCLUSIVE, NEW_OPTION, OPTION_REF, RANKS},
        products::PRODUCT,
    },
    reply::{find, only, page, perform, remove_by, remove_from, save, update_by},
    tables::{ADDITIONAL_DATA, METADATA, ONE, any, date, flag, list, nested},
};

routes! {
    of OPTION;
    /// Lists the product options.
    Get "/admin/product-options" (Admin, LIST) => index;
    /// Creates a product option that products can share. With `is_exclusive` it is for one product only.
    Post "/admin/product-options" (Admin, ONE, CREATE) => create;
    /// Shows a product option, with its values.
    Get "/admin/product-options/:id" (Admin, ONE) => retrieve;
    /// Updates a product option. A value that a variant has cannot be left out.
    Post "/admin/product-options/:id" (Admin, ONE, UPDATE) => update;
    /// Deletes a product option. One that a product has is refused.
    Delete "/admin/product-options/:id" (Admin, ONE) => delete;
    /// Lists the values of a product option.
    Get "/admin/product-options/:id/values" (Admin, VALUES) => values: Answer::Page(&VALUE);
    /// Shows a value of a product option.
    Get "/admin/product-options/:id/values/:value_id" (Admin, ONE) => retrieve_value: Answer::One(&VALUE);
    /// Updates a value of a product option.
    Post "/admin/product-options/:id/values/:value_id" (Admin, ONE, UPDATE_VALUE) => update_value: Answer::One(&VALUE);
    /// Deletes a value of a product option. One that a variant has is refused.
    Delete "/admin/product-options/:id/values/:value_id" (Admin, ONE) => delete_value: Answer::DeletedFrom(&OPTION);
    /// Lists the options of a product.
    Get "/admin/products/:id/options" (Admin, LIST) => of_product;
    /// Creates an option of a product. It is for this product only, unless `is_exclusive` is false.
    Post "/admin/products/:id/options" (Admin, ONE, CREATE) => create_in_product: Answer::One(&PRODUCT);
    /// Adds options to a product, removes others, and changes which of their values it uses, all or none.
    Post "/admin/products/:id/options/batch" (Admin, ONE, LINKS) => link: Answer::One(&PRODUCT);
}

resources! { VALUE }

static OPTION: Resource = Resource {
    entity: "product_option",
    one: "product_option",
    many: "product_options",
    fields: &["id", "title", "is_exclusive", "metadata", "created_at", "updated_at", "deleted_at", "*values"],
    offer: None,
    renamed: &[],
};

static VALUE: Resource = Resource {
    entity: "product_option_value",
    one: "product_option_value",
    many: "product_option_values",
    fields: &["id", "value", "rank", "metadata", "option_id", "created_at", "updated_at", "deleted_at"],
    offer: None,
    renamed: &[],
};

const LIST: Params = list(
    &[
        any("id"),
        any("title"),
        flag("is_exclusive"),
        nested("values", &[any("id"), any("value")]),
        date("created_at"),
        date("updated_at"),
        date("deleted_at"),
    ],
    50,
);
const VALUES: Params =
    list(&[any("id"), any("value"), date("created_at"), date("updated_at"), date("deleted_at")], 50);

const CREATE: Body = &[NEW_OPTION, &[ADDITIONAL_DATA]];
const UPDATE: Body = &[&[
    optional("title", Type::Text),
    optional("values", Type::List(&Type::Text)),
    RANKS,
    EXCLUSIVE,
    METADATA,
    ADDITIONAL_DATA,
]];
const UPDATE_VALUE: Body = &[&[optional("value", Type::Text), METADATA]];

const LINKS: Body = &[&[
    optional(
        "add",
        Type::List(&Type::OneOf(&[Type::Text, Type::Strict(OPTION_REF), Type::Strict(&[NEW_OPTION])])),
    ),
    optional("remove", Type::List(&Type::Text)),
    optional("update", Type::List(&Type::Strict(VALUE_LINKS))),
]];
const VALUE_LINKS: Body = &[&[
    required("product_option_id", Type::Text),
    optional("add", Type::List(&Type::OneOf(&[Type::Text, Type::Object(&[required("value", Type::Text)])]))),
    optional("remove", Type::List(&Type::Text)),
]];

fn not_found(id: &str) -> String {
    format!("Product option with id: {id} was not found")
}

async fn index(call: Call) -> Result<Reply, Fault> {
    page(&OPTION, &call, Vec::new())
}

/// Makes an option that products can share, unless the body says otherwise.
async fn create(mut call: Call) -> Result<Reply, Fault> {
    let is_exclusive = call.body()["is_exclusive"].as_bool().unwrap_or(false);
    let input = OptionInput { is_exclusive, ..call.read()? };
    perform(&OPTION, call, move |it| only(it.run(&CREATE_PRODUCT_OPTIONS, vec![input])?)).await
}

async fn retrieve(call: Call) -> Result<Reply, Fault> {
    find(&OPTION, &call, not_found)
}

async fn update(call: Call) -> Result<Reply, Fault> {
    update_by(&OPTION, call, &UPDATE_PRODUCT_OPTIONS).await
}

async fn delete(call: Call) -> Result<Reply, Fault> {
    remove_by(call, "product_option", &DELETE_PRODUCT_OPTIONS).await
}

async fn values(mut call: Call) -> Result<Reply, Fault> {
    let id = call.path("id").to_owned();
    if !OPTIONS.table.exists(&call.view, &id)? {
        return Err(Fault::not_found(not_found(&id)));
    }
    call.params.narrow("option_id", vec![id]);
    page(&VALUE, &call, Vec::new())
}

/// The value of the path must be one of the option of the path.
fn check_value(tx: &dyn Read, option: &str, value: &str) -> Result<(), Fault> {
    match OPTION_VALUES.get(tx, value)? {
        Some(it) if *it.option_id == *option => Ok(()),
        _ => Err(Fault::not_found(format!("Product option value with id: {value} was not found"))),
    }
}

async fn retrieve_value(call: Call) -> Result<Reply, Fault> {
    let id = call.path("value_id");
    check_value(&call.view, call.path("id"), id)?;
    let found = VALUE.plan(&call).find(&call.view, id)?;
    found.ok_or_else(|| Fault::unexpected("a value went while it was looked at"))
}

async fn update_value(mut call: Call) -> Result<Reply, Fault> {
    let (option, id) = (call.path("id").to_owned(), call.path("value_id").to_owned());
    let patch: ProductOptionValuePatch = call.read()?;
    save(&VALUE, call, move |tx, at| {
        check_value(tx, &option, &id)?;
        Ok(OPTION_VALUES.update(tx, at, &id, patch)?)
    })
    .await
}

async fn delete_value(call: Call) -> Result<Reply, Fault> {
    let (option, id) = (call.path("id").to_owned(), call.path("value_id").to_owned());
    let gone = Deleted::new(id.as_str(), "product_option_value");
    remove_from(&OPTION, call, gone, move |flow| {
        if OPTION_VALUES.table.exists(flow.tx, &id)? {
            check_value(flow.tx, &option, &id)?;
        }
        delete_option_value(flow.tx, flow.at, &id)?;
        Ok(OPTIONS.retrieve(flow.tx, &option)?)
    })
    .await
}

async fn of_product(mut call: Call) -> Result<Reply, Fault> {
    let Some(product) = PRODUCTS.get(&call.view, call.path("id"))? else {
        return Err(Fault::not_found("Product not found"));
    };
    let ids = product.option_ids.iter().map(ToString::to_string);
    call.params.narrow("id", ids.collect());
    page(&OPTION, &call, Vec::new())
}

/// Makes an option that is the product's own, unless the body says otherwise.
async fn create_in_product(mut call: Call) -> Result<Reply, Fault> {
    let links = OptionLinks { add: vec![OptionLink::New(call.read()?)], ..OptionLinks::default() };
    link_all(call, links).await
}

async fn link(mut call: Call) -> Result<Reply, Fault> {
    let links = call.read()?;
    link_all(call, links).await
}

async fn link_all(call: Call, links: OptionLinks) -> Result<Reply, Fault> {
    let input = (call.path("id").to_owned(), links);
    perform(&PRODUCT, call, move |flow| flow.run(&LINK_PRODUCT_OPTIONS, input)).await
}
