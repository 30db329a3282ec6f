//! The first page: what a shop needs before it sells, and whether this one has it.

use atoll_kernel::Fault;
use atoll_pages::{Address, Api, Markup, Page, PageCall, Records, admin_page, badge, html, link};
use serde::Deserialize;
use serde_json::Value;

admin_page! {
    "/" => show;
}

/// What a shop needs: the question, whether it has it, and where to put that right.
struct Need {
    text: &'static str,
    is_met: bool,
    lacks: &'static str,
    at: &'static str,
}

async fn show(call: PageCall) -> Result<Page, Fault> {
    let needs = needs(&call).await?;
    let ships = !call.has("/shipping") || ships(call.api()).await?;
    let n_open = needs.iter().filter(|it| !it.is_met).count();
    let body = html! {
        section class="card" {
            h2 {
                @if n_open == 0 { "This shop can sell" } @else { "Before this shop sells" }
            }
            ul class="check" { @for need in &needs { (row(&call, need)) } }
            @if !ships {
                p { "Nothing is shipped yet: " (link(&call, "/shipping", "say where to, and for how much")) "." }
            }
        }
    };
    Ok(Page::new("Overview", body))
}

fn row(call: &PageCall, need: &Need) -> Markup {
    html! {
        li {
            @if need.is_met { (badge("good", "There")) } @else { (badge("warn", "Missing")) }
            span {
                (link(call, need.at, need.text))
                @if !need.is_met { ": " (need.lacks) }
            }
        }
    }
}

async fn needs(call: &PageCall) -> Result<Vec<Need>, Fault> {
    let api = call.api();
    let mut needs = Vec::new();
    if call.has("/channels") {
        let open = Address::of("/admin/sales-channels").with("is_disabled", false);
        needs.push(Need {
            text: "A sales channel",
            is_met: count(api, open, "sales_channels").await? > 0,
            lacks: "all channels are disabled.",
            at: "/channels",
        });
    }
    let keys = Address::of("/admin/api-keys").with("type", "publishable");
    let products = Address::of("/admin/products").with("status", "published");
    let regions = regions(api).await?;
    let (has_stock, lacks) = stock(api).await?;
    needs.extend([
        Need {
            text: "A region",
            is_met: !regions.is_empty(),
            lacks: "it says in which currency which countries pay.",
            at: "/regions",
        },
        Need {
            text: "A way to pay",
            is_met: regions.iter().any(|it| !it.payment_providers.is_empty()),
            lacks: "no region has a payment provider.",
            at: "/regions",
        },
        Need {
            text: "A publishable key",
            is_met: count(api, keys, "api_keys").await? > 0,
            lacks: "a storefront shows it, and sees the channels that it opens.",
            at: "/keys",
        },
        Need {
            text: "A published product",
            is_met: count(api, products, "products").await? > 0,
            lacks: "storefronts show nothing else.",
            at: "/products",
        },
        Need { text: "Something in stock", is_met: has_stock, lacks, at: "/stock" },
    ]);
    Ok(needs)
}

/// How many records a list has.
async fn count(api: &Api, address: Address, name: &str) -> Result<usize, Fault> {
    Ok(api.list::<Value>(address.with("fields", "id").with("limit", 1), name).await?.count)
}

/// Is anything shipped? A shop can do without.
async fn ships(api: &Api) -> Result<bool, Fault> {
    Ok(count(api, Address::of("/admin/shipping-options"), "shipping_options").await? > 0)
}

#[derive(Deserialize)]
struct Region {
    payment_providers: Vec<Value>,
}

async fn regions(api: &Api) -> Result<Vec<Region>, Fault> {
    let address = Address::of("/admin/regions").with("fields", "id,payment_providers.id").with("limit", 100);
    Ok(api.list(address, "regions").await?.records)
}

/// Has one of the first items stock, and what to say if none has?
async fn stock(api: &Api) -> Result<(bool, &'static str), Fault> {
    #[derive(Deserialize)]
    struct Item {
        stocked_quantity: f64,
    }

    let address =
        Address::of("/admin/inventory-items").with("fields", "id,stocked_quantity").with("limit", 50);
    let Records { records, count, .. } = api.list::<Item>(address, "inventory_items").await?;
    let lacks = match count > records.len() {
        true => "none of the first 50 items has stock at a location; the page looks at no more.",
        false => "no item has stock at a location.",
    };
    Ok((records.iter().any(|it| it.stocked_quantity > 0.0), lacks))
}
