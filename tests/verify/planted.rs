//! Damage that is planted by writing keys, and the findings of `verify`: exactly that damage.

use std::{collections::BTreeSet, sync::Arc};

use atoll_background::{JOB_RUNS, JobRun, Pace, position_of, start};
use atoll_cart::{CARTS, Cart};
use atoll_fulfillment::{
    FULFILLMENT_SETS, FulfillmentSet, SERVICE_ZONES, SHIPPING_OPTIONS, ServiceZone, ShippingOption,
};
use atoll_inventory::{
    INVENTORY_LEVELS, InventoryLevel, RESERVATIONS, ReservationItem, level_at, reservations_of, reserve,
};
use atoll_kernel::{
    Actor, Fault, Moment, Read, Registry, Timestamp, Write,
    data::{Direction, Entity, LinkRow, Scan, Space, Store, View, last_number},
    http::{ONCE, ONCE_BY_AGE, ONCE_BY_CLIENT, ONCE_BYTES},
    jobs::emit,
    saga::{EXECUTIONS, ExecutionState, WorkflowExecution},
    verify::{Findings, Report},
};
use atoll_links::{ORDER_CART, ORDER_PAYMENT_COLLECTION, PRODUCT_VARIANT_PRICE_SET};
use atoll_order::{ORDERS, Order, OrderCreditLine, OrderStatus, PaymentStatus};
use atoll_payment::{
    Capture, PAYMENT_COLLECTIONS, PAYMENTS, PAYMENTS_BY_COLLECTION, Payment, PaymentCollection, Refund,
};
use atoll_pricing::{LIST_PRICES, ListPrice, PRICE_SETS, PriceSet};
use atoll_product::delete_product;
use atoll_promotion::{
    BudgetType, CAMPAIGNS, Campaign, CampaignBudget, PROMOTIONS, Promotion, create_campaign,
};
use atoll_stock_location::{STOCK_LOCATIONS, StockLocation};
use atoll_storage::{
    Engine as _, KeyBuf, OUTBOX, SEQUENCES, Span, WriteKeys, WriteRows, add_to_group, encode, engines::Memory,
};
use atoll_tax::{
    NewTaxRate, NewTaxRegion, NewTaxRule, TAX_RATES, TAX_REGIONS, TaxRate, TaxRegion, create_rate,
    create_region,
};
use atoll_testkit::{Shop, TestApp, complete};
use serde_json::{Map, json};

use crate::review::{PRODUCT_REVIEW, REVIEWS, Review, SHELF};

/// An intact shop on a disk, of which each case has a copy, and the ids of its records.
struct Whole {
    disk: Memory,
    names: Names,
}

#[derive(Clone, Default)]
struct Names {
    web: String,
    location: String,
    /// A product that is always on sale, its variant and its item.
    tea: String,
    variant: String,
    item: String,
    /// One that is on sale for a while.
    ice: String,
    /// One that was soft-deleted.
    gone: String,
    order: String,
    line: String,
    collection: String,
    payment: String,
    /// The cart of the order, and one that is open.
    cart: String,
    open_cart: String,
    review: String,
}

impl Names {
    /// The text with names instead of ids.
    fn named(&self, text: &str) -> String {
        let names = [
            (&self.web, "WEB"),
            (&self.location, "LOCATION"),
            (&self.tea, "TEA"),
            (&self.variant, "VARIANT"),
            (&self.item, "ITEM"),
            (&self.ice, "ICE"),
            (&self.gone, "GONE"),
            (&self.order, "ORDER"),
            (&self.collection, "COLLECTION"),
            (&self.payment, "PAYMENT"),
            (&self.cart, "CART"),
            (&self.open_cart, "OPEN"),
            (&self.review, "REVIEW"),
        ];
        names.into_iter().fold(text.to_owned(), |text, (id, name)| text.replace(id.as_str(), name))
    }
}

fn store(disk: &Memory) -> Store {
    let spaces = Registry::linked().expect("a registry that fits together").spaces();
    Store::open(disk.clone(), &spaces).expect("a store")
}

async fn whole() -> Whole {
    let disk = Memory::default();
    let shop = Shop::open(TestApp::over(store(&disk), None).await).await;
    let web = shop.channel("Web").await;
    let tea = shop.product("Tea", &[&web], 10).await;
    let ice = shop.product("Ice", &[&web], 0).await;
    let gone = shop.product("Gone", &[&web], 0).await;
    let path = format!("/admin/sales-channels/{web}/products/{}", ice.product);
    let window =
        json!({ "available_from": "2020-01-01T00:00:00Z", "available_until": "2099-01-01T00:00:00Z" });
    shop.admin.post(&path, window).await.ok();
    let storefront = shop.storefront(&[&web]).await;
    let cart = shop.cart(&storefront, &tea.id, 2).await;
    let placed = complete(&storefront, &cart).await.ok();
    let once = storefront.clone().with_header("idempotency-key", "one");
    let open = once.post("/store/carts", json!({})).await.ok();
    let text = |it: &serde_json::Value| it.as_str().expect("an id").to_owned();
    let mut names = Names {
        location: shop.location.clone(),
        tea: tea.product,
        variant: tea.id,
        item: tea.item,
        ice: ice.product,
        gone: gone.product,
        order: text(&placed["order"]["id"]),
        open_cart: text(&open["cart"]["id"]),
        cart,
        web,
        ..Names::default()
    };
    let of = names.clone();
    let more = move |tx: &mut dyn Write, at: &Moment| {
        delete_product(tx, at, &of.gone)?;
        let review = REVIEWS.create(tx, at, Review { stars: "4".into(), ..Review::default() })?;
        PRODUCT_REVIEW.attach(tx, at, &of.tea, &review.id, Map::new())?;
        Ok(review.id.to_string())
    };
    names.review = shop.app.ctx.write(Actor::System, more).await.expect("more").0;
    // Cursors of subscribers and progress of jobs are stored.
    let never = std::time::Duration::from_secs(3600);
    let pace =
        Pace { first: never, longest: never, n_failures_max: 3, prune_every: never, look_every: never };
    start(&shop.app.ctx, pace).await.expect("a start").stop().await;
    let view = shop.app.ctx.view();
    names.line = ORDERS.retrieve(&view, &names.order).expect("the order").items[0].id.to_string();
    names.collection = ORDER_PAYMENT_COLLECTION.rights(&view, &names.order).expect("a link").remove(0);
    let payments = PAYMENTS.table.ids_by(&view, &PAYMENTS_BY_COLLECTION, &[&names.collection]);
    names.payment = payments.expect("payments").remove(0);
    assert!(position_of(&view, "payment.tell-provider").expect("a cursor").is_some());
    drop(view);
    shop.app.ctx.store().close();
    Whole { disk, names }
}

fn key(tx: &dyn Read, space: Space, parts: &[&str], tail: &str) -> Vec<u8> {
    let key = parts.iter().fold(KeyBuf::new(tx.prefix(space)), |key, part| key.part(part));
    key.tail(tail.as_bytes()).into_bytes()
}

/// The keys of a space.
fn keys(tx: &dyn Read, space: Space) -> Vec<Vec<u8>> {
    let mut keys = Vec::new();
    tx.scan(&Span::prefix(&tx.prefix(space)), Direction::Ascending, &mut |key, _| {
        keys.push(key.to_vec());
        Ok(Scan::Continue(()))
    })
    .expect("a scan");
    keys
}

fn put(tx: &mut dyn Write, space: Space, parts: &[&str], tail: &str, value: &[u8]) -> Result<(), Fault> {
    let key = key(tx, space, parts, tail);
    tx.put(key, value.to_vec());
    Ok(())
}

fn remove(tx: &mut dyn Write, space: Space, parts: &[&str], tail: &str) -> Result<(), Fault> {
    let key = key(tx, space, parts, tail);
    assert!(tx.get(&key).expect("a read").is_some(), "there is no such key in {space}");
    tx.delete(key);
    Ok(())
}

/// Makes the values of a space unreadable.
fn spoil(tx: &mut dyn Write, space: Space) -> Result<(), Fault> {
    let key = keys(tx, space).into_iter().next().unwrap_or_else(|| panic!("{space} is empty"));
    tx.put(key, b"\x01\xc1".to_vec());
    Ok(())
}

fn change<T: Entity + PartialEq>(
    tx: &mut dyn Write,
    service: &'static atoll_kernel::data::Service<T>,
    id: &str,
    change: impl Fn(&mut T),
) -> Result<(), Fault> {
    // Written to the table without the service, so that projections are not updated.
    let before = service.retrieve(tx, id)?;
    let mut after = before.clone();
    change(&mut after);
    service.table.replace(tx, &before, &after)?;
    Ok(())
}

/// The tax region of a country.
fn country(code: &str) -> NewTaxRegion {
    let region = TaxRegion { country_code: code.into(), ..TaxRegion::default() };
    let region = TaxRegion { provider_id: Some("tp_system".into()), ..region };
    NewTaxRegion { region, default_rate: None }
}

/// A tax rate with a rule.
fn rate_of(tx: &mut dyn Write, at: &Moment) -> Result<TaxRate, Fault> {
    let region = create_region(tx, at, country("de"))?;
    let rate = TaxRate { tax_region_id: region.id.to_string(), ..TaxRate::default() };
    let rule = NewTaxRule { reference_id: "prod_x".into(), ..NewTaxRule::default() };
    Ok(create_rate(tx, at, NewTaxRate { rate, rules: vec![rule] })?)
}

type Plant = fn(&mut dyn Write, &Moment, &Names) -> Result<(), Fault>;

/// The planted damage and the finding: kind, space, key, stored and expected state.
const CASES: &[(&str, Plant, &[&str])] = &[
    ("nothing", |_, _, _| Ok(()), &[]),
    // Values.
    (
        "a product that does not decode",
        |tx, _, it| put(tx, "product", &[], &it.tea, b"\x01\xc1"),
        &["value.corrupt in product at TEA: … → a value that decodes"],
    ),
    (
        "a soft-deleted product that does not decode",
        |tx, _, it| put(tx, "product.deleted", &[], &it.gone, b"\x01\xc1"),
        &["value.corrupt in product.deleted at GONE: … → a value that decodes"],
    ),
    (
        "a pair that does not decode",
        |tx, _, it| put(tx, "product_sales_channel", &[&it.tea], &it.web, b"\x01\xc1"),
        &["value.corrupt in product_sales_channel at TEA / WEB: … → a value that decodes"],
    ),
    (
        "an event that does not decode",
        |tx, _, _| spoil(tx, OUTBOX),
        &["value.corrupt in outbox at 0x0000000000000001: … → a value that decodes"],
    ),
    (
        "an answer that does not decode",
        |tx, _, _| spoil(tx, ONCE),
        &["value.corrupt in idempotency.key at …: … → a value that decodes"],
    ),
    (
        "a place of a subscriber that does not decode",
        |tx, _, _| put(tx, "subscriber.cursor", &[], "payment.tell-provider", b"\x01\xc1"),
        &["value.corrupt in subscriber.cursor at payment.tell-provider: … → a value that decodes"],
    ),
    (
        "a counter that does not decode",
        |tx, _, _| {
            let counted = tx.prefix("order.by_status");
            let key =
                KeyBuf::new(tx.prefix(SEQUENCES)).tail(&[0]).tail(&counted).part("pending").into_bytes();
            tx.put(key, vec![1, 2, 3]);
            Ok(())
        },
        &["value.corrupt in sequence at …: a counter of 3 bytes → a counter"],
    ),
    // Rows.
    (
        "a row under the id of another",
        |tx, _, it| {
            let row = encode(&STOCK_LOCATIONS.retrieve(tx, &it.location)?);
            put(tx, "stock_location", &[], "sloc_other", &row)?;
            Ok(add_to_group(tx, "stock_location", &[], 1)?)
        },
        &["row.misplaced in stock_location at sloc_other: LOCATION → the row with this id"],
    ),
    (
        "a row that was deleted, among the live ones",
        |tx, _, it| {
            let row: StockLocation = STOCK_LOCATIONS.retrieve(tx, &it.location)?;
            let row = StockLocation { deleted_at: Some(Timestamp::from_millis(1)), ..row };
            put(tx, "stock_location", &[], &it.location, &encode(&row))
        },
        &["row.deleted in stock_location at LOCATION: a time of deletion → a live row"],
    ),
    (
        "a row that is live and deleted",
        |tx, _, it| {
            let row = encode(&STOCK_LOCATIONS.retrieve(tx, &it.location)?);
            put(tx, "stock_location.deleted", &[], &it.location, &row)
        },
        &["row.twice in stock_location.deleted at LOCATION: a soft-deleted row → the live one alone"],
    ),
    // Counters.
    (
        "a table that counts one too many",
        |tx, _, _| Ok(add_to_group(tx, "product", &[], 1)?),
        &["counter.wrong in product at : 3 → 2"],
    ),
    (
        "a group that counts one too many",
        |tx, _, _| Ok(add_to_group(tx, "order.by_status", &["pending"], 1)?),
        &["counter.wrong in order.by_status at pending: 2 → 1"],
    ),
    (
        "a group that is not counted",
        |tx, _, _| Ok(add_to_group(tx, "order.by_status", &["pending"], -1)?),
        &["counter.wrong in order.by_status at pending: 0 → 1"],
    ),
    (
        "a counter of nothing",
        |tx, _, _| Ok(add_to_group(tx, "order.by_status", &["canceled"], 7)?),
        &["counter.wrong in order.by_status at canceled: 7 → 0"],
    ),
    (
        "an end of a link that counts one too many",
        |tx, _, it| Ok(add_to_group(tx, "product_sales_channel.reverse", &[&it.web], 1)?),
        &["counter.wrong in product_sales_channel.reverse at WEB: 3 → 2"],
    ),
    (
        "a channel that counts one product too many",
        |tx, _, it| Ok(add_to_group(tx, "availability.listing", &[&it.web], 1)?),
        &[
            "counter.wrong in availability.listing at WEB: 2 → 1",
            "listing.count in availability.listing at WEB: 3 → 2",
        ],
    ),
    // Promotions.
    (
        "a budget of which nobody has used what is used of it",
        |tx, at, _| {
            let budget = CampaignBudget {
                r#type: BudgetType::UseByAttribute,
                attribute: Some("customer_id".into()),
                ..CampaignBudget::default()
            };
            let campaign = Campaign { budget: Some(budget), ..Campaign::default() };
            let campaign_identifier = "sale".to_owned();
            let made = create_campaign(tx, at, Campaign { campaign_identifier, ..campaign })?;
            change(tx, &CAMPAIGNS, &made.id, |it| {
                if let Some(budget) = &mut it.budget {
                    budget.used = 5_u64.into();
                }
            })
        },
        &["promotion.budget in campaign at …: 5 → 0"],
    ),
    // Taxes.
    (
        "a province below another country",
        |tx, at, _| {
            let parent = create_region(tx, at, country("de"))?.id;
            let region = TaxRegion { parent_id: Some(parent), ..TaxRegion::default() };
            let region =
                TaxRegion { country_code: "de".into(), province_code: Some("de-by".into()), ..region };
            let by = create_region(tx, at, NewTaxRegion { region, default_rate: None })?;
            change(tx, &TAX_REGIONS, &by.id, |it| it.country_code = "at".into())
        },
        &["tax.belongs in tax_region at …: … → the region of its country"],
    ),
    (
        "a tax rate without a region",
        |tx, at, _| {
            let rate = rate_of(tx, at)?;
            change(tx, &TAX_RATES, &rate.id, |it| it.tax_region_id = "txreg_x".into())
        },
        &[
            "tax.belongs in tax_rate at …: txreg_x → a tax region",
            "tax.belongs in tax_rate_rule at …: … → a rate of its region",
        ],
    ),
    // Indexes.
    (
        "a row that its index lacks",
        |tx, _, it| remove(tx, "order.by_status", &["pending"], &it.order),
        &["index.missing in order.by_status at pending / ORDER: nothing → ORDER"],
    ),
    (
        "a row that its unique index lacks",
        |tx, _, _| remove(tx, "product.by_handle", &["tea"], ""),
        &["index.missing in product.by_handle at tea: nothing → TEA"],
    ),
    (
        "an entry of a row that says something else",
        |tx, _, it| put(tx, "order.by_status", &["canceled"], &it.order, b""),
        &["index.stale in order.by_status at canceled / ORDER: ORDER → nothing: no row has this key"],
    ),
    (
        "a live row in an index of soft-deleted ones",
        |tx, _, it| {
            let key = [&*it.tea, "2026-01-01T00:00:00.000Z"];
            put(tx, "product_variant.deleted_with_product", &key, &it.variant, b"")
        },
        &[
            "index.stale in product_variant.deleted_with_product at TEA / 2026-01-01T00:00:00.000Z / VARIANT: VARIANT → nothing: no row has this key",
        ],
    ),
    (
        "a unique entry of no row",
        |tx, _, _| put(tx, "product.by_handle", &["coffee"], "", b"prod_x"),
        &["index.stale in product.by_handle at coffee: prod_x → nothing: no row has this key"],
    ),
    (
        "a unique value that another row has",
        |tx, _, it| {
            let ice = it.ice.clone();
            put(tx, "product.by_handle", &["tea"], "", ice.as_bytes())
        },
        &["index.taken in product.by_handle at tea: ICE → TEA"],
    ),
    // Links.
    (
        "a pair that its right end does not know",
        |tx, _, it| remove(tx, "product_sales_channel.reverse", &[&it.web], &it.tea),
        &[
            "link.one_sided in product_sales_channel.reverse at WEB / TEA: nothing → the pair, seen from its right \
             end",
        ],
    ),
    (
        "a pair that its left end does not know",
        |tx, _, it| put(tx, "product_sales_channel.reverse", &["sc_x"], &it.tea, b""),
        &[
            "link.one_sided in product_sales_channel.reverse at sc_x / TEA: an entry → nothing: there is no such pair",
        ],
    ),
    (
        "a pair with an end that is not there",
        |tx, _, it| {
            put(tx, "product_sales_channel", &["prod_x"], &it.web, &encode(&LinkRow::default()))?;
            put(tx, "product_sales_channel.reverse", &[&it.web], "prod_x", b"")?;
            Ok(add_to_group(tx, "product_sales_channel.reverse", &[&it.web], 1)?)
        },
        &["link.dangling in product_sales_channel at prod_x / WEB: there is no product `prod_x` → both ends"],
    ),
    (
        "the safety stock of an item whose level is gone",
        |tx, _, it| {
            put(tx, "sales_channel_inventory_level", &[&it.web], "ilev_x", &encode(&LinkRow::default()))?;
            put(tx, "sales_channel_inventory_level.reverse", &["ilev_x"], &it.web, b"")?;
            Ok(add_to_group(tx, "sales_channel_inventory_level", &[&it.web], 1)?)
        },
        &[
            "link.dangling in sales_channel_inventory_level at WEB / ilev_x: there is no inventory_level `ilev_x` → both \
             ends",
        ],
    ),
    (
        "a second partner where there may be one",
        |tx, at, it| {
            let set = PRICE_SETS.create(tx, at, PriceSet { id: "pset_zz".into(), ..PriceSet::default() })?;
            let (link, row) = (&PRODUCT_VARIANT_PRICE_SET, encode(&LinkRow::default()));
            put(tx, link.name, &[&it.variant], &set.id, &row)?;
            put(tx, link.reverse, &[&set.id], &it.variant, b"")
        },
        &["link.several in product_variant_price_set at VARIANT / pset_zz: a second partner → one at most"],
    ),
    (
        "a key of a link that is none",
        |tx, _, _| put(tx, "product_sales_channel.deleted", &[], "what", &encode(&LinkRow::default())),
        &[
            "link.malformed in product_sales_channel.deleted at what: a key without an id → a side and both ids",
        ],
    ),
    (
        "a pair that waits for a live record",
        |tx, _, it| {
            let row = encode(&LinkRow::default());
            put(tx, "product_sales_channel.deleted", &["left", &it.tea], "sc_x", &row)
        },
        &[
            "link.waiting in product_sales_channel.deleted at left / TEA / sc_x: the product is not deleted → nothing \
             waits for a live record",
        ],
    ),
    (
        "a pair that waits for nobody",
        |tx, _, _| {
            let row = encode(&LinkRow::default());
            put(tx, "product_sales_channel.deleted", &["left", "prod_x"], "sc_x", &row)
        },
        &[
            "link.waiting in product_sales_channel.deleted at left / prod_x / sc_x: there is no product, deleted or \
             not → a record that can be restored",
        ],
    ),
    // Projections: the listing, its windows and its edges.
    (
        "a product that a channel does not list",
        |tx, _, it| remove(tx, "availability.listing", &[&it.web], &it.tea),
        &[
            "listing.wrong in availability.listing at WEB / TEA: it is not listed → it is listed",
            "projection.missing in availability.listing at WEB / TEA: nothing → an entry",
        ],
    ),
    (
        "a variant that a channel lists and does not sell",
        |tx, _, it| {
            put(tx, "availability.variant_listing", &[&it.web], "variant_x", b"")?;
            Ok(add_to_group(tx, "availability.variant_listing", &[&it.web], 1)?)
        },
        &[
            "counter.wrong in availability.variant_listing at WEB: 2 → 1",
            "listing.count in availability.variant_listing at WEB: 3 → 2",
            "projection.stale in availability.variant_listing at WEB / variant_x: an entry → nothing",
        ],
    ),
    (
        "another window",
        |tx, _, it| put(tx, "availability.windows", &[&it.web], &it.ice, &[0; 16]),
        &[
            "listing.wrong in availability.listing at WEB / ICE: it is not listed → it is listed",
            "projection.differs in availability.windows at WEB / ICE: 0x00000000000000000000000000000000 → \
             0x0000016f5e66e800000003b3d512ac00",
        ],
    ),
    (
        "an edge that is not there",
        |tx, _, _| {
            let edge = keys(tx, "availability.edges").remove(0);
            tx.delete(edge);
            Ok(())
        },
        &[
            "listing.count in availability.listing at WEB: 1 → 2",
            "projection.missing in availability.edges at WEB / …: nothing → 0x0000016f5e66e800000003b3d512ac00",
        ],
    ),
    // Stock.
    (
        "a level that reserves what nobody was promised",
        |tx, _, it| {
            let level = level_at(tx, &it.item, &it.location)?.expect("a level").id;
            change(tx, &INVENTORY_LEVELS, &level, |it: &mut InventoryLevel| {
                it.reserved_quantity += 1_i64.into()
            })
        },
        &["inventory.reserved in inventory_level at …: 3 → 2"],
    ),
    (
        "more reserved than is stocked",
        |tx, _, it| {
            let level = level_at(tx, &it.item, &it.location)?.expect("a level").id;
            change(tx, &INVENTORY_LEVELS, &level, |it: &mut InventoryLevel| {
                it.stocked_quantity = 1_i64.into()
            })
        },
        &["inventory.oversold in inventory_level at …: 2 reserved, 0 of them backordered → 1 stocked"],
    ),
    (
        "a promise where the item is not stocked",
        |tx, at, it| {
            let item = it.item.as_str().into();
            let promise = ReservationItem {
                inventory_item_id: item,
                location_id: "sloc_x".into(),
                quantity: 1_i64.into(),
                ..ReservationItem::default()
            };
            RESERVATIONS.create(tx, at, promise)?;
            Ok(())
        },
        &[
            "inventory.nowhere in reservation_item at …: item `ITEM` at location `sloc_x`, where it is not stocked → \
             a level",
        ],
    ),
    (
        "a promise to a line beyond what it takes",
        |tx, at, it| {
            let promise = ReservationItem {
                inventory_item_id: it.item.as_str().into(),
                location_id: it.location.clone(),
                quantity: 1_i64.into(),
                line_item_id: Some(it.line.clone()),
                ..ReservationItem::default()
            };
            reserve(tx, at, promise)?;
            Ok(())
        },
        &[
            "order.reservation in reservation_item at …: 2 of a line that takes less (`ORDER`) → no more than is \
             outstanding",
            "order.reservation in reservation_item at …: 1 of a line that takes less (`ORDER`) → no more than is \
             outstanding",
        ],
    ),
    (
        "a reservation for a cancelled order",
        |tx, at, it| {
            assert_eq!(reservations_of(tx, &it.line)?.len(), 1);
            ORDERS.update(tx, at, &it.order, |it: &mut Order| it.status = OrderStatus::Canceled)?;
            Ok(())
        },
        &["order.reservation in reservation_item at …: 2 of a cancelled order (`ORDER`) → nothing reserved"],
    ),
    // Orders, carts and payments.
    (
        "an order that nobody pays for",
        |tx, at, it| {
            ORDER_PAYMENT_COLLECTION.detach(tx, at, &it.order, &it.collection)?;
            Ok(())
        },
        &["order.unpaid in order at ORDER: no payment for 20 eur → a payment collection"],
    ),
    (
        "an order that says it was paid",
        |tx, _, it| change(tx, &ORDERS, &it.order, |it: &mut Order| it.paid_total = 20_i64.into()),
        &[
            "order.payment in order at ORDER: authorized, 20 paid, 0 refunded → authorized, 0 paid, 0 refunded",
        ],
    ),
    (
        "an order with a number that was not given",
        |tx, at, it| {
            ORDERS.update(tx, at, &it.order, |it: &mut Order| it.display_id = 99)?;
            Ok(())
        },
        &["order.number in order at ORDER: 99 → 1 at most"],
    ),
    (
        "a cart that is no order",
        |tx, at, it| {
            ORDER_CART.detach(tx, at, &it.order, &it.cart)?;
            Ok(())
        },
        &["cart.lost in cart at CART: a completed cart without an order → its order"],
    ),
    (
        "an open cart that is an order",
        |tx, _, it| change(tx, &CARTS, &it.cart, |it: &mut Cart| it.completed_at = None),
        &["cart.ordered in cart at CART: an open cart, orders ORDER → at most one order"],
    ),
    (
        "a promotion that says it was used",
        |tx, at, _| {
            PROMOTIONS.create(tx, at, Promotion { used: 5, code: "FIVE".into(), ..Promotion::default() })?;
            Ok(())
        },
        &["promotion.uses in promotion at …: 5 → 0"],
    ),
    (
        "a shipping option of nothing",
        |tx, at, _| {
            SHIPPING_OPTIONS.create(tx, at, ShippingOption::default())?;
            Ok(())
        },
        &[
            "shipping.option in shipping_option at …: no profile `` → a profile",
            "shipping.option in shipping_option at …: no type `` → a type",
            "shipping.option in shipping_option at …: no zone `` → a zone",
        ],
    ),
    (
        "a service zone of no set",
        |tx, at, _| {
            let fulfillment_set_id = "fuset_x".into();
            SERVICE_ZONES.create(tx, at, ServiceZone { fulfillment_set_id, ..ServiceZone::default() })?;
            Ok(())
        },
        &["shipping.zone in service_zone at …: no set `fuset_x` → a fulfilment set"],
    ),
    (
        "a fulfilment set of no location",
        |tx, at, _| FULFILLMENT_SETS.create(tx, at, FulfillmentSet::default()).map(drop).map_err(Fault::from),
        &["shipping.set in fulfillment_set at …: 0 locations → one stock location"],
    ),
    (
        "a collection that sums up otherwise",
        |tx, _, it| {
            change(tx, &PAYMENT_COLLECTIONS, &it.collection, |it: &mut PaymentCollection| {
                it.authorized_amount = Some(19_i64.into());
            })
        },
        &["payment.sum in payment_collection at COLLECTION: 19 authorized → 20"],
    ),
    (
        "a cart that is charged twice",
        |tx, at, it| {
            let payment_collection_id = it.collection.clone();
            PAYMENTS.create(
                tx,
                at,
                Payment { id: "pay_x".into(), payment_collection_id, ..Payment::default() },
            )?;
            Ok(())
        },
        &["payment.twice in payment_collection at COLLECTION: PAYMENT, pay_x → one payment"],
    ),
    (
        "more captured than authorised",
        |tx, at, it| {
            let mut capture = Capture { amount: 30_i64.into(), ..Capture::default() };
            capture.init(at.id(), at.now());
            change(tx, &PAYMENTS, &it.payment, |it: &mut Payment| it.captures = vec![capture.clone()])?;
            change(tx, &PAYMENT_COLLECTIONS, &it.collection, |it: &mut PaymentCollection| {
                it.captured_amount = Some(30_i64.into());
            })?;
            change(tx, &ORDERS, &it.order, |it: &mut Order| {
                it.paid_total = 30_i64.into();
                it.payment_status = PaymentStatus::PartiallyCaptured;
            })
        },
        &[
            "payment.beyond in payment at PAYMENT: 30 captured and 0 refunded of 20 → no more captured than authorised, and no more refunded than captured",
        ],
    ),
    (
        "more given back than captured, for no reason",
        |tx, at, it| {
            let refund_reason_id = Some("refr_x".to_owned());
            let mut back = Refund { amount: 5_i64.into(), refund_reason_id, ..Refund::default() };
            back.init(at.id(), at.now());
            change(tx, &PAYMENTS, &it.payment, |it: &mut Payment| it.refunds = vec![back.clone()])?;
            change(tx, &PAYMENT_COLLECTIONS, &it.collection, |it: &mut PaymentCollection| {
                it.refunded_amount = Some(5_i64.into());
            })?;
            change(tx, &ORDERS, &it.order, |it: &mut Order| {
                it.refunded_total = 5_i64.into();
                it.payment_status = PaymentStatus::PartiallyRefunded;
            })
        },
        &[
            "payment.beyond in payment at PAYMENT: 0 captured and 5 refunded of 20 → no more captured than authorised, and no more refunded than captured",
            "payment.reason in payment at PAYMENT: a refund for `refr_x` → a reason, perhaps deleted",
        ],
    ),
    (
        "more authorised than a collection asks for",
        |tx, _, it| {
            change(tx, &PAYMENT_COLLECTIONS, &it.collection, |it: &mut PaymentCollection| {
                it.amount = 15_i64.into();
            })
        },
        &["payment.asked in payment_collection at COLLECTION: 20 → 15 at most"],
    ),
    (
        "a payment collection in another currency than its order",
        |tx, _, it| {
            change(tx, &PAYMENT_COLLECTIONS, &it.collection, |it: &mut PaymentCollection| {
                it.currency_code = "usd".into();
            })
        },
        &["order.currency in order at ORDER: COLLECTION in usd → eur"],
    ),
    (
        "a credit line of a version to come",
        |tx, at, it| {
            let order_id = it.order.clone();
            let mut credit = OrderCreditLine { order_id, version: 9, ..OrderCreditLine::default() };
            credit.init(at.id(), at.now());
            change(tx, &ORDERS, &it.order, |it: &mut Order| it.credit_lines = vec![credit.clone()])
        },
        &["order.credit in order at ORDER: credit of version 9 of `ORDER` → version 1 at most"],
    ),
    (
        "a payment for nothing",
        |tx, at, _| {
            let payment_collection_id = "pay_col_x".to_owned();
            PAYMENTS.create(
                tx,
                at,
                Payment { id: "pay_x".into(), payment_collection_id, ..Payment::default() },
            )?;
            Ok(())
        },
        &["payment.orphaned in payment at pay_x: a payment for `pay_col_x` → a collection that is there"],
    ),
    // Background tasks.
    (
        "an event that is not there",
        |tx, _, _| {
            let event = keys(tx, OUTBOX).remove(1);
            tx.delete(event);
            Ok(())
        },
        &["outbox.gap in outbox at 0x0000000000000003: 1 before it → 2"],
    ),
    (
        "an event with a number that was not given",
        |tx, at, _| {
            emit(tx, at, "thing.made", json!({}))?;
            let last = last_number(tx, OUTBOX)?;
            put(tx, SEQUENCES, &[], OUTBOX, &(last - 1).to_be_bytes())
        },
        &["outbox.ahead in outbox at …: … → … at most"],
    ),
    (
        "a subscriber that is ahead",
        |tx, _, _| {
            let cursor = encode(&json!({ "place": 10_000, "n_failed": 0 }));
            put(tx, "subscriber.cursor", &[], "payment.tell-provider", &cursor)
        },
        &["subscriber.ahead in subscriber.cursor at payment.tell-provider: 10000 → … at most"],
    ),
    (
        "a run of a job without a lease",
        |tx, at, _| {
            JOB_RUNS.create(
                tx,
                at,
                JobRun { id: "jobrun_x".into(), job: "j".into(), ..JobRun::default() },
            )?;
            Ok(())
        },
        &["job.run in job_run at jobrun_x: a run that is running → a lease and no end"],
    ),
    (
        "a saga that has ended and is kept for ever",
        |tx, at, _| {
            let run = WorkflowExecution {
                id: "wf_exec_x".into(),
                state: ExecutionState::Done,
                ..WorkflowExecution::default()
            };
            EXECUTIONS.create(tx, at, run)?;
            Ok(())
        },
        &[
            "saga.journal in workflow_execution at wf_exec_x: done run that is kept for ever → when its record goes",
        ],
    ),
    (
        "an answer that is never forgotten",
        |tx, _, _| {
            let age = keys(tx, ONCE_BY_AGE).remove(0);
            tx.delete(age);
            Ok(())
        },
        &["idempotency.ageless in idempotency.age at …: nothing → the age of an answer"],
    ),
    (
        "an age of no answer",
        |tx, _, _| put(tx, ONCE_BY_AGE, &[], "12345678nobody", b""),
        &["idempotency.orphaned in idempotency.age at 12345678nobody: an age → an answer of that age"],
    ),
    (
        "an answer without its entry by client",
        |tx, _, _| {
            let entry = keys(tx, ONCE_BY_CLIENT).remove(0);
            tx.delete(entry);
            Ok(())
        },
        &["idempotency.ageless in idempotency.client at …: nothing → the age of an answer"],
    ),
    (
        "an entry by client without its answer",
        |tx, _, _| put(tx, ONCE_BY_CLIENT, &["me"], "12345678nobody", b""),
        &[
            "idempotency.orphaned in idempotency.client at me / 12345678nobody: an age → an answer of that age",
        ],
    ),
    (
        "bytes of answers that nobody keeps",
        |tx, _, _| put(tx, ONCE_BYTES, &[], "nobody", &9_u64.to_be_bytes()),
        &["idempotency.bytes in idempotency.bytes at nobody: 9 of 0 → at most 0 of 0"],
    ),
    (
        "a price of a list that is gone",
        |tx, at, _| {
            let price = ListPrice { price_list_id: "plist_gone".into(), ..ListPrice::default() };
            Ok(LIST_PRICES.create(tx, at, price).map(drop)?)
        },
        &["price-list.price in list_price at …: list plist_gone → a price list"],
    ),
    // A module of a third party.
    (
        "a review that its index lacks",
        |tx, _, it| remove(tx, "review.by_stars", &["4"], &it.review),
        &["index.missing in review.by_stars at 4 / REVIEW: nothing → REVIEW"],
    ),
    (
        "a review that its product does not know",
        |tx, _, it| remove(tx, "product_review.reverse", &[&it.review], &it.tea),
        &[
            "link.one_sided in product_review.reverse at REVIEW / TEA: nothing → the pair, seen from its right end",
        ],
    ),
    (
        "a review that is not on the shelf",
        |tx, _, it| remove(tx, SHELF, &[&it.tea], &it.review),
        &["projection.missing in review.shelf at TEA / REVIEW: nothing → an entry"],
    ),
    (
        "a review of six stars",
        |tx, _, it| change(tx, &REVIEWS, &it.review, |it: &mut Review| it.stars = "6".into()),
        &["review.stars in review at REVIEW: 6 → one to five"],
    ),
];

/// Is this what is expected? `…` stands for anything.
fn fits(found: &str, expected: &str) -> bool {
    let mut rest = found;
    let mut parts = expected.split('…');
    let Some(tail) = parts.next().and_then(|first| rest.strip_prefix(first)) else { return false };
    rest = tail;
    for part in parts {
        match rest.find(part) {
            Some(place) => rest = &rest[place + part.len()..],
            None => return false,
        }
    }
    rest.is_empty() || expected.ends_with('…')
}

#[tokio::test]
async fn verify_finds_each_planted_damage_and_nothing_else() {
    let Whole { disk, names } = whole().await;
    let (mut kinds, mut wrong) = (BTreeSet::new(), Vec::new());
    for (name, plant, expected) in CASES {
        let app = TestApp::over(store(&disk.fork()), None).await;
        let of = names.clone();
        let body = move |tx: &mut dyn Write, at: &Moment| plant(tx, at, &of);
        app.ctx.write(Actor::System, body).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        app.is_damaged();
        let report = app.verify();
        let mut found: Vec<String> = report
            .findings
            .iter()
            .map(|it| {
                let text =
                    format!("{} in {} at {}: {} → {}", it.kind, it.space, it.key, it.found, it.expected);
                names.named(&text)
            })
            .collect();
        found.sort();
        let all_fit = found.len() == expected.len() && found.iter().zip(*expected).all(|(a, b)| fits(a, b));
        if !all_fit {
            wrong.push(format!("{name}:\n  found {found:#?}\n  expected {expected:#?}"));
        }
        kinds.extend(report.kinds.into_keys());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // The documentation lists them, for operators; those of the third party are its own.
    kinds.remove("review.stars");
    // Damage of extensions and of announcements is planted by their own tests.
    kinds.extend(["availability.announced", "availability.moment"]);
    kinds.extend(["restock.states", "webhooks.cursors", "webhooks.states"]);
    let page = include_str!("../../docs/verification.md");
    let (_, table) = page.split_once("| Kind | What is wrong |").expect("the table of kinds");
    let (table, _) = table.split_once("\n\n").expect("its end");
    let listed: BTreeSet<&str> = table.split('`').skip(1).step_by(2).collect();
    assert_eq!(listed, kinds, "docs/verification.md lists other kinds than those that were planted");
}

/// Flips a bit of what is stored under a key, below the store that checks it.
fn flip(disk: &Memory, key: &[u8]) {
    let mut disk = disk.clone();
    let stored = disk.snapshot().expect("a snapshot").get(key, &mut |_, _| Ok(())).expect("a read");
    let mut stored = stored.unwrap_or_else(|| panic!("there is no key {key:?}"));
    *stored.last_mut().expect("a checksum") ^= 1;
    disk.commit(&[(key.to_vec(), Some(stored))].into()).expect("a commit");
}

#[tokio::test]
async fn values_whose_checksum_is_wrong_are_listed_and_the_rest_is_checked() {
    let Whole { disk, names } = whole().await;
    let view = store(&disk).view();
    let (tea, web, order) = (names.tea.as_str(), names.web.as_str(), names.order.as_str());
    let counter = KeyBuf::new(view.prefix(SEQUENCES)).tail(&[0]).tail(&view.prefix("product")).into_bytes();
    let damaged = [
        (key(&view, "product", &[], tea), "product"),
        (key(&view, "product.deleted", &[], &names.gone), "product.deleted"),
        (key(&view, "product.by_handle", &["ice"], ""), "product.by_handle"),
        (key(&view, "order.by_status", &["pending"], order), "order.by_status"),
        (key(&view, "product_sales_channel", &[tea], web), "product_sales_channel"),
        (key(&view, "product_sales_channel.reverse", &[web], tea), "product_sales_channel.reverse"),
        (key(&view, "availability.windows", &[web], &names.ice), "availability.windows"),
        (key(&view, "availability.variant_listing", &[web], &names.variant), "availability.variant_listing"),
        (keys(&view, OUTBOX).remove(0), "outbox"),
        (keys(&view, ONCE).remove(0), "idempotency.key"),
        (counter, "sequence"),
    ];
    drop(view);
    for (key, space) in &damaged {
        let disk = disk.fork();
        flip(&disk, key);
        let report = report_of(&disk);
        let found: Vec<_> = report.findings.iter().map(|it| (it.kind, it.space)).collect();
        assert_eq!(found, [("value.corrupt", *space)], "{:#?}", report.findings);
    }
    // All at once, and another damage.
    let all = disk.fork();
    damaged.iter().for_each(|(key, _)| flip(&all, key));
    let missing = key(&store(&disk).view(), "review.by_stars", &["4"], &names.review);
    all.clone().commit(&[(missing, None)].into()).expect("a commit");
    let kinds: Vec<_> = report_of(&all).kinds.into_iter().collect();
    assert_eq!(kinds, [("index.missing", 1), ("value.corrupt", damaged.len() as u64)]);
}

/// The findings of a disk, without starting an application on it.
fn report_of(disk: &Memory) -> Report {
    let registry = Registry::linked().expect("a registry that fits together");
    let view = View::look(disk, &registry.spaces()).expect("a look");
    registry.verify(view, Timestamp::now(), Findings::new(100, Arc::default())).expect("a report")
}

#[tokio::test]
async fn verify_skips_what_depends_on_unreadable_records() {
    let Whole { disk, names } = whole().await;
    let app = TestApp::over(store(&disk.fork()), None).await;
    app.is_damaged();
    let tea = names.tea.clone();
    let spoil = move |tx: &mut dyn Write, _: &Moment| {
        put(tx, "product", &[], &tea, b"")?;
        // Everything that does not depend on it is still checked.
        remove(tx, "product.by_handle", &["ice"], "")?;
        Ok(())
    };
    app.ctx.write(Actor::System, spoil).await.expect("a write");
    let kinds: Vec<&str> = app.verify().kinds.into_keys().collect();
    assert_eq!(kinds, ["index.missing", "value.corrupt"]);
}

#[tokio::test]
async fn findings_are_counted_and_the_first_are_listed() {
    let Whole { disk, .. } = whole().await;
    let app = TestApp::over(store(&disk.fork()), None).await;
    app.is_damaged();
    let spoil = |tx: &mut dyn Write, _: &Moment| {
        for n in 0..50 {
            put(tx, "product.by_handle", &[&format!("h{n}")], "", b"prod_x")?;
        }
        Ok(())
    };
    app.ctx.write(Actor::System, spoil).await.expect("a write");
    let registry = app.ctx.registry();
    let findings = Findings::new(3, Arc::default());
    let report = registry.verify(app.ctx.view(), app.now(), findings).expect("a report");
    assert_eq!((report.n_findings, report.findings.len(), report.kinds["index.stale"]), (50, 3, 50));
}
