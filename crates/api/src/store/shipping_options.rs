//! Store route of shipping options: `/store/shipping-options`. There is no shipping module yet, so the list
//! is empty; storefronts request it for every cart with line items.

use atoll_kernel::{
    Fault,
    http::{Answer, Call, Param, Params, Part, Reply, Type},
    routes,
    serde_json::json,
};

use crate::{
    gate::scope,
    tables::{any, flag},
};

routes! {
    /// Lists how a cart can be shipped. There is no shipping module yet, so the list is empty.
    Get "/store/shipping-options" (Store, OF_CART) => index: OPTIONS;
}

const OPTIONS: Answer =
    Answer::Object(&[Part::value("shipping_options", Type::List(&Type::Record), "Always empty.")]);
const CART: Param = any("cart_id").about("The cart that is to be shipped. Required.");
const OF_CART: Params = Params {
    own: &[CART, flag("is_return").about("Accepted for return shipping; there is none yet.")],
    limit: None,
    strict: true,
};

async fn index(mut call: Call) -> Result<Reply, Fault> {
    let required = || Fault::invalid("Invalid request: Field 'cart_id' is required");
    let cart_id = call.params.take_one("cart_id").ok_or_else(required)?;
    match scope(&call).cart(&call.view, &cart_id)? {
        Some(_) => Ok(Reply::json(&json!({ "shipping_options": [] }))),
        None => Err(Fault::not_found(format!("Cart id not found: {cart_id}"))),
    }
}
