//! `/store/products`

use atoll_availability::{CURRENCY, ChannelScope, REGION, SALES_CHANNEL, WHOLE_CATALOGUE};
use atoll_kernel::{
    Call, Context, Fault, ListParams, Offer, Param, ParamKind, Params, Reply, Resource, View, routes,
};
use atoll_region::REGIONS;
use atoll_store::the_store;

use crate::{
    gate::{context_in, scope},
    tables::{any, date, flag, list},
};

routes! {
    Get "/store/products" (Store, LIST) => index;
    Get "/store/products/:id" (Store, SHOW) => retrieve;
}

static PRODUCT: Resource = Resource {
    entity: "product",
    one: "product",
    many: "products",
    fields: &[
        "id", "title", "subtitle", "description", "handle", "is_giftcard", "discountable", "thumbnail",
        "collection_id", "type_id", "weight", "length", "height", "width", "hs_code", "origin_country",
        "mid_code", "material", "created_at", "updated_at", "*type", "*collection", "*options",
        "*options.values", "*tags", "*images", "*variants", "*variants.options", "*variants.options.option",
    ],
    offer: Some(Offer {
        whole: &[
            "type", "collection", "options", "options.values", "tags", "images", "categories", "variants",
            "variants.options", "variants.options.option", "variants.calculated_price",
            "variants.inventory_quantity",
        ],
        parts: &[],
    }),
    renamed: &[("tag_id", "tag_ids"), ("category_id", "category_ids")],
};

const LIST: Params = list(
    &[
        any("id"),
        any("title"),
        any("handle"),
        flag("is_giftcard"),
        any("category_id"),
        any("collection_id"),
        any("tag_id"),
        any("type_id"),
        date("created_at"),
        date("updated_at"),
        date("deleted_at"),
        any("sales_channel_id"),
        any("region_id"),
        any("country_code"),
        any("province"),
        any("cart_id"),
        Param::new(
            "variants",
            ParamKind::Nested(&[any("id"), any("sku"), any("barcode"), any("ean"), any("upc")]),
        ),
    ],
    50,
);
const SHOW: Params = Params {
    own: &[any("sales_channel_id"), any("region_id"), any("country_code"), any("province"), any("cart_id")],
    limit: None,
    strict: true,
};

async fn index(mut call: Call) -> Result<Reply, Fault> {
    let view = call.app.view();
    let (scope, context) = surroundings(&mut call, &view)?;
    PRODUCT.list(&view, &context, call.params, vec![scope.products()])
}

async fn retrieve(mut call: Call) -> Result<Reply, Fault> {
    let (view, id) = (call.app.view(), call.path("id").to_owned());
    let (scope, context) = surroundings(&mut call, &view)?;
    let hidden = || Fault::not_found(format!("Product with id: {id} was not found"));
    if !scope.products().contains(&view, &id)? {
        return Err(hidden());
    }
    PRODUCT.find(&view, &context, &id, call.params.fields.as_deref())?.ok_or_else(hidden)
}

/// The channels that the call is about, and what prices and quantities depend on. Takes the parameters that say
/// so out of the filters.
fn surroundings(call: &mut Call, view: &View) -> Result<(ChannelScope, Context), Fault> {
    let requested = call.params.take("sales_channel_id");
    let scope = scope(call).narrowed(requested.as_deref())?;
    let channels = scope.channels().iter().map(|it| it.id.to_string()).collect();
    let context = context_in(scope.clone());
    let mut context = match scope.is_whole() {
        true => context.with(WHOLE_CATALOGUE, Vec::new()),
        false => context.with(SALES_CHANNEL, channels),
    };
    for other in ["country_code", "province"] {
        call.params.take(other);
    }
    let mut take = |name| call.params.take(name).and_then(|it| it.into_iter().next());
    let (asked, cart) = (take("region_id"), take("cart_id"));
    if asked.is_some() {
        add_field(&mut call.params, "variants.calculated_price");
    }
    // The region of the cart, the one that is asked for, or the store's own: in this order, as on the wire.
    let of_cart = match cart {
        Some(cart) => scope.cart(view, &cart)?.and_then(|cart| cart.region_id),
        None => None,
    };
    let region = match of_cart.or(asked) {
        Some(region) => Some(region),
        None => the_store(view)?.and_then(|store| store.default_region_id),
    };
    if let Some(id) = region {
        let region = REGIONS.get(view, &id)?.ok_or_else(|| {
            Fault::invalid(format!("Region with id {id} not found when populating the pricing context"))
        })?;
        context = context.with(CURRENCY, vec![region.currency_code]).with(REGION, vec![id]);
    }
    Ok((scope, context))
}

/// A region asks for prices, as on the wire.
fn add_field(params: &mut ListParams, field: &str) {
    let fields = params.fields.get_or_insert_default();
    if !fields.contains(field) {
        let comma = if fields.is_empty() { "" } else { "," };
        *fields = format!("{fields}{comma}+{field}");
    }
}
