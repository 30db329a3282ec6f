//! Admin routes of product options: `/admin/product-options`, `/admin/products/:id/options`.

use atoll_flows::product::{
    CREATE_PRODUCT_OPTIONS, DELETE_PRODUCT_OPTION_VALUES, DELETE_PRODUCT_OPTIONS, LINK_PRODUCT_OPTIONS,
    OptionLink, OptionLinks, UPDATE_PRODUCT_OPTION_VALUES, UPDATE_PRODUCT_OPTIONS, ValueOf, check_value,
};
use atoll_kernel::{
    Fault,
    http::{Answer, Body, Call, Deleted, Params, Reply, Resource, Type, optional, required},
    resources, routes,
};
use atoll_product::{OPTIONS, OptionInput, PRODUCTS, ProductOptionValuePatch};

use crate::{
    admin::{
        product_body::{EXCLUSIVE, NEW_OPTION, OPTION_REF, RANKS},
        products::PRODUCT,
    },
    crud::crud,
    reply::{only, page, perform, remove_from},
    tables::{ADDITIONAL_DATA, METADATA, ONE, any, date, flag, list, nested},
};

crud! {
    of OPTION at "/admin/product-options" for Admin;
    called "a product option" / "product options";
    not_found "Product option with id: {} was not found";
    page LIST;
    /// It is shown with its values.
    find ONE;
    /// A value that a variant has cannot be left out.
    update ONE, UPDATE by UPDATE_PRODUCT_OPTIONS;
    /// One that a product has is refused.
    delete "product_option" by DELETE_PRODUCT_OPTIONS;
}

routes! {
    of OPTION;
    /// Creates a product option that products can share. With `is_exclusive` it is for one product only.
    Post "/admin/product-options" (Admin, ONE, CREATE) => create;
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
    store_fields: None,
    renamed: &[],
};

static VALUE: Resource = Resource {
    entity: "product_option_value",
    one: "product_option_value",
    many: "product_option_values",
    fields: &["id", "value", "rank", "metadata", "option_id", "created_at", "updated_at", "deleted_at"],
    store_fields: None,
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
    optional("values", Type::List(&Type::Text)).about("All values that it is to have, in their order."),
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
    )
    .about("Options to link, by their ids, or to create for the product."),
    optional("remove", Type::List(&Type::Text)).about("The ids of options to unlink."),
    optional("update", Type::List(&Type::Strict(VALUE_LINKS)))
        .about("Which values of its options the product has."),
]];
const VALUE_LINKS: Body = &[&[
    required("product_option_id", Type::Text).about("The option."),
    optional(
        "add",
        Type::List(&Type::OneOf(&[
            Type::Text,
            Type::Object(&[required("value", Type::Text).about("The text of a new value.")]),
        ])),
    )
    .about("Values to link, by their ids, or to create."),
    optional("remove", Type::List(&Type::Text)).about("The ids of values to unlink."),
]];

/// Creates an option that products can share, unless the body says otherwise.
async fn create(mut call: Call) -> Result<Reply, Fault> {
    let is_exclusive = call.body()["is_exclusive"].as_bool().unwrap_or(false);
    let input = OptionInput { is_exclusive, ..call.read()? };
    perform(&OPTION, call, move |it| only(it.run(&CREATE_PRODUCT_OPTIONS, vec![input])?)).await
}

async fn values(mut call: Call) -> Result<Reply, Fault> {
    let id = call.path("id").to_owned();
    if !OPTIONS.table.exists(&call.view, &id)? {
        return Err(Fault::not_found(not_found(&id)));
    }
    call.params.narrow("option_id", vec![id]);
    page(&VALUE, &call, Vec::new())
}

/// The value of the path, and the option that it must belong to.
fn value_of(call: &Call) -> ValueOf {
    ValueOf { option_id: call.path("id").to_owned(), id: call.path("value_id").to_owned() }
}

async fn retrieve_value(call: Call) -> Result<Reply, Fault> {
    let id = call.path("value_id");
    check_value(&call.view, &value_of(&call))?;
    let found = VALUE.plan(&call).find(&call.view, id)?;
    found.ok_or_else(|| Fault::unexpected("a value went while it was looked at"))
}

async fn update_value(mut call: Call) -> Result<Reply, Fault> {
    let input = (value_of(&call), call.read::<ProductOptionValuePatch>()?);
    perform(&VALUE, call, move |flow| flow.run(&UPDATE_PRODUCT_OPTION_VALUES, input)).await
}

async fn delete_value(call: Call) -> Result<Reply, Fault> {
    let value = value_of(&call);
    let gone = Deleted::new(value.id.as_str(), "product_option_value");
    remove_from(&OPTION, call, gone, move |flow| {
        let option = value.option_id.clone();
        flow.run(&DELETE_PRODUCT_OPTION_VALUES, value)?;
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

/// Creates an option of this product only, unless the body says otherwise.
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
