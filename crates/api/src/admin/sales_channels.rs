//! Admin routes of sales channels and their products: `/admin/sales-channels`.

use atoll_flows::sales_channel::{
    CREATE_SALES_CHANNELS, ChannelProducts, DELETE_SALES_CHANNELS, LINK_PRODUCTS_TO_SALES_CHANNEL,
    UPDATE_SALES_CHANNELS, plan_channel_products,
};
use atoll_kernel::{
    Fault,
    data::View,
    http::{Answer, Body, Call, Field, Params, Part, Reply, Resource, Type, optional, required},
    routes,
    serde_json::json,
};
use atoll_sales_channel::SALES_CHANNELS;

use crate::{
    crud::crud,
    reply::perform,
    tables::{DRY_RUN, IDS, METADATA, ONE, any, date, flag, list, nested, text},
};

crud! {
    of SALES_CHANNEL at "/admin/sales-channels" for Admin with "sales_channels";
    called "a sales channel" / "sales channels";
    not_found "Sales channel with id: {} not found";
    page LIST;
    find ONE;
    /// It shows nothing until it is linked to products.
    create ONE, CREATE by CREATE_SALES_CHANNELS;
    update ONE, UPDATE by UPDATE_SALES_CHANNELS;
    /// The default channel of the store is refused. Its links are deleted with it.
    delete "sales-channel" by DELETE_SALES_CHANNELS;
}

routes! {
    with "sales_channels";
    of SALES_CHANNEL;
    /// Puts products into a sales channel, and takes others out: by id, or by collection, category, tag, type
    /// or channel. With `dry_run=true` it says what would change, and writes nothing. One call adds and
    /// removes at most 200,000 products.
    Post "/admin/sales-channels/:id/products" (Admin, DRY_RUN, PRODUCTS, up_to PRODUCTS_BYTES_MAX) => link_products: LINKED;
    /// Puts products into a sales channel. For clients of the older API.
    Post "/admin/sales-channels/:id/products/batch" (Admin, ONE, OLD_LINK) => link_old;
    /// Takes products out of a sales channel. For clients of the older API.
    Delete "/admin/sales-channels/:id/products/batch" (Admin, ONE, OLD_LINK) => unlink_old: Answer::One(&SALES_CHANNEL);
}

static SALES_CHANNEL: Resource = Resource {
    entity: "sales_channel",
    one: "sales_channel",
    many: "sales_channels",
    fields: &[
        "id", "name", "description", "is_disabled", "created_at", "updated_at", "deleted_at", "metadata",
    ],
    store_fields: None,
    renamed: &[("location_id", "stock_locations.id"), ("publishable_key_id", "publishable_api_keys.id")],
};

const PRODUCTS: Body = &[&[
    optional("add", IDS).about("The ids of products to put in."),
    optional("remove", IDS).about("The ids of products to take out."),
    optional("add_where", WHERE)
        .about("Which products to put in, beside those of `add`: those that match all of these lists."),
    optional("remove_where", WHERE).about("Which products to take out, beside those of `remove`."),
]];
const WHERE: Type = Type::Strict(&[&[
    optional("collection_id", IDS).about("Products of these collections."),
    optional("category_id", IDS).about("Products of these categories."),
    optional("tag_id", IDS).about("Products with one of these tags."),
    optional("type_id", IDS).about("Products of these types."),
    optional("sales_channel_id", IDS).about("Products of these sales channels."),
]]);
const LINKED: Answer = Answer::OneOf(&[Answer::One(&SALES_CHANNEL), PLANNED]);
const PLANNED: Answer = Answer::Object(&[
    Part::value("dry_run", Type::Bool, "Always true: nothing was written."),
    Part::value("sales_channel_id", Type::Text, "The sales channel."),
    Part::value(
        "products",
        Type::Object(&[
            required("added", IDS).about("Products that would be put in."),
            required("already_there", IDS).about("Products to put in that are in the channel already."),
            required("removed", IDS).about("Products that would be taken out."),
            required("not_there", IDS).about("Products to take out that are not in the channel."),
            required("unknown", IDS)
                .about("Ids to put in of which there is no product. With any of them, the call is refused."),
        ]),
        "What would become of each product.",
    ),
]);
/// Upper bound of a body: two lists of 100,000 ids each.
const PRODUCTS_BYTES_MAX: usize = 8 * 1024 * 1024;

/// The body of the older API.
const OLD_LINK: Body =
    &[&[required("product_ids", Type::List(&Type::Object(&[required("id", Type::Text).about("The id.")])))
        .about("The products.")]];

const LIST: Params = list(
    &[
        any("id"),
        any("name"),
        any("description"),
        flag("is_disabled"),
        date("created_at"),
        date("updated_at"),
        date("deleted_at"),
        any("location_id").about("Channels that this stock location serves."),
        any("publishable_key_id").about("Channels that this publishable key opens."),
        nested("stock_locations", &[any("id"), any("name")]),
    ],
    20,
);
const CREATE: Body = &[&[required("name", Type::Text)], MORE];
const UPDATE: Body = &[&[optional("name", Type::Text)], MORE];
const MORE: &[Field] = &[text("description"), optional("is_disabled", Type::Bool), METADATA];

/// Adds products to a channel and removes others, or answers what that would change (dry run).
async fn link_products(mut call: Call) -> Result<Reply, Fault> {
    let products = ChannelProducts { channel: call.path("id").to_owned(), ..call.read()? };
    let is_dry = call.params.take("dry_run").is_some_and(|it| it == ["true"]);
    if !is_dry {
        return link(call, products).await;
    }
    let answer = move |view: &View| {
        let plan = plan_channel_products(view, &products)?;
        Ok(Reply::json(&json!({ "dry_run": true, "sales_channel_id": products.channel, "products": plan })))
    };
    call.app.read(&call.view, answer).await
}

/// Ids in a body of the older API.
fn old_ids(call: &Call) -> Vec<String> {
    let items = call.body()["product_ids"].as_array().into_iter().flatten();
    items.filter_map(|it| it["id"].as_str()).map(str::to_owned).collect()
}

async fn link_old(call: Call) -> Result<Reply, Fault> {
    let (channel, add) = (call.path("id").to_owned(), old_ids(&call));
    link(call, ChannelProducts { channel, add, ..ChannelProducts::default() }).await
}

async fn unlink_old(call: Call) -> Result<Reply, Fault> {
    let (channel, remove) = (call.path("id").to_owned(), old_ids(&call));
    link(call, ChannelProducts { channel, remove, ..ChannelProducts::default() }).await
}

async fn link(call: Call, products: ChannelProducts) -> Result<Reply, Fault> {
    perform(&SALES_CHANNEL, call, move |flow| {
        let channel = products.channel.clone();
        flow.run(&LINK_PRODUCTS_TO_SALES_CHANNEL, products)?;
        Ok(SALES_CHANNELS.retrieve(flow.tx, &channel)?)
    })
    .await
}
