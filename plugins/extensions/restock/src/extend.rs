//! Extension of routes: what this extension adds to store routes of the core. A storefront asks for it by
//! `/store/products?fields=+variants.restock_state`; who does not ask sees and pays nothing.

use atoll_kernel::extend;

extend! { Get "/store/products" { store_fields: ["variants.restock_state"] } }
extend! { Get "/store/product-variants" { store_fields: ["restock_state"] } }
