//! The listing of a channel is a projection (index) of the decision: after any changes both agree (property
//! test).

use std::collections::BTreeMap;

use atoll_availability::{Listing, Shelf, sweep};
use atoll_kernel::{
    Actor, Fault, Moment, Timestamp, Write,
    data::{Direction, group_count},
    query::Ids,
};
use atoll_links::{AVAILABLE_FROM, AVAILABLE_UNTIL, PRODUCT_SALES_CHANNEL, SALES_CHANNEL_EXCLUDED_VARIANT};
use atoll_product::{
    OptionInput, PRODUCTS, Product, ProductPatch, ProductStatus, ProductVariant, VARIANTS, create_product,
    create_variant, delete_product, delete_variant, restore_product, update_product, variants_of,
};
use atoll_sales_channel::{SALES_CHANNELS, SalesChannel};
use atoll_testkit::{TestApp, check_drawn};
use proptest::{prelude::*, test_runner::TestCaseError};
use serde_json::{Map, json};

const N_PRODUCTS: usize = 4;
const N_CHANNELS: usize = 3;
/// Windows begin and end at moments before this one.
const N_MOMENTS: i64 = 5;

/// A time that only a clock that is ahead shows.
const AHEAD: i64 = 1_000_000;

/// A random change to a product, a channel, or both.
#[derive(Clone, Copy, Debug)]
enum Step {
    Link(usize, usize),
    Unlink(usize, usize),
    SetWindow(usize, usize, Option<i64>, Option<i64>),
    Exclude(usize, usize),
    Include(usize, usize),
    Sweep(usize, i64),
    Publish(usize),
    Draft(usize),
    Delete(usize),
    Restore(usize),
    DeleteVariant(usize),
    RestoreVariant(usize),
    DeleteChannel(usize),
    RestoreChannel(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let (product, channel) = (0..N_PRODUCTS, 0..N_CHANNELS);
    let edge = || prop::option::of(0..N_MOMENTS);
    prop_oneof![
        3 => (product.clone(), channel.clone()).prop_map(|(p, c)| Step::Link(p, c)),
        1 => (product.clone(), channel.clone()).prop_map(|(p, c)| Step::Unlink(p, c)),
        3 => (product.clone(), channel.clone(), edge(), edge()).prop_map(|(p, c, from, until)| Step::SetWindow(p, c, from, until)),
        1 => (product.clone(), channel.clone()).prop_map(|(p, c)| Step::Exclude(p, c)),
        1 => (product.clone(), channel.clone()).prop_map(|(p, c)| Step::Include(p, c)),
        1 => (channel.clone(), 0..N_MOMENTS).prop_map(|(c, at)| Step::Sweep(c, at)),
        // The clock is ahead; the next change above sets it back.
        1 => channel.clone().prop_map(|c| Step::Sweep(c, AHEAD)),
        2 => product.clone().prop_map(Step::Publish),
        1 => product.clone().prop_map(Step::Draft),
        1 => product.clone().prop_map(Step::Delete),
        1 => product.clone().prop_map(Step::Restore),
        1 => product.clone().prop_map(Step::DeleteVariant),
        1 => product.prop_map(Step::RestoreVariant),
        1 => channel.clone().prop_map(Step::DeleteChannel),
        1 => channel.prop_map(Step::RestoreChannel),
    ]
}

fn product(n: usize) -> String {
    format!("prod_{n}")
}

fn variant(n: usize) -> String {
    format!("variant_{n}")
}

fn channel(n: usize) -> String {
    format!("sc_{n}")
}

fn set_up(tx: &mut dyn Write, at: &Moment) -> Result<(), Fault> {
    for n in 0..N_CHANNELS {
        let channel = SalesChannel { id: channel(n).into(), ..SalesChannel::default() };
        SALES_CHANNELS.create(tx, at, channel)?;
    }
    for n in 0..N_PRODUCTS {
        let product = Product { id: product(n).into(), title: format!("p{n}"), ..Product::default() };
        let product = create_product(
            tx,
            at,
            product,
            &[OptionInput { title: "Size".into(), ..OptionInput::default() }],
        )?;
        let variant = ProductVariant { id: variant(n).into(), ..ProductVariant::default() };
        create_variant(tx, at, &product, variant, &BTreeMap::new())?;
    }
    Ok(())
}

fn run(tx: &mut dyn Write, at: &Moment, step: Step) -> Result<(), Fault> {
    let status = |tx: &mut dyn Write, n: usize, status: ProductStatus| {
        if !PRODUCTS.table.exists(tx, &product(n))? {
            return Ok(());
        }
        let patch = ProductPatch { status: Some(status), ..ProductPatch::default() };
        update_product(tx, at, &product(n), patch).map(drop).map_err(Fault::from)
    };
    match step {
        Step::Link(p, c) => {
            // Refused if one end was deleted, which is right.
            let _ = PRODUCT_SALES_CHANNEL.attach(tx, at, &product(p), &channel(c), Map::new());
            Ok(())
        }
        Step::Unlink(p, c) => Ok(PRODUCT_SALES_CHANNEL.detach(tx, at, &product(p), &channel(c)).map(drop)?),
        Step::SetWindow(p, c, from, until) => {
            if PRODUCT_SALES_CHANNEL.has(tx, &product(p), &channel(c))? {
                let moment = |it: Option<i64>| json!(it.map(Timestamp::from_millis));
                let mut columns = Map::new();
                columns.insert(AVAILABLE_FROM.into(), moment(from));
                columns.insert(AVAILABLE_UNTIL.into(), moment(until));
                PRODUCT_SALES_CHANNEL.attach(tx, at, &product(p), &channel(c), columns)?;
            }
            Ok(())
        }
        Step::Exclude(p, c) => {
            // As for links of products.
            let (channel, variant) = (channel(c), variant(p));
            let _ = SALES_CHANNEL_EXCLUDED_VARIANT.attach(tx, at, &channel, &variant, Map::new());
            Ok(())
        }
        Step::Include(p, c) => {
            Ok(SALES_CHANNEL_EXCLUDED_VARIANT.detach(tx, at, &channel(c), &variant(p)).map(drop)?)
        }
        // One edge at a time, so that the sweep is interrupted.
        Step::Sweep(c, to) => Ok(sweep(tx, &channel(c), Timestamp::from_millis(to), 1)?),
        Step::Publish(n) => status(tx, n, ProductStatus::Published),
        Step::Draft(n) => status(tx, n, ProductStatus::Draft),
        Step::Delete(n) => Ok(delete_product(tx, at, &product(n)).map(drop)?),
        Step::Restore(n) => Ok(restore_product(tx, at, &product(n)).map(drop)?),
        Step::DeleteVariant(n) => Ok(delete_variant(tx, at, &variant(n)).map(drop)?),
        // A variant of a deleted product is restored with it, and not before.
        Step::RestoreVariant(n) if PRODUCTS.table.exists(tx, &product(n))? => {
            Ok(VARIANTS.restore(tx, at, &variant(n)).map(drop)?)
        }
        Step::RestoreVariant(_) => Ok(()),
        Step::DeleteChannel(n) => Ok(SALES_CHANNELS.soft_delete(tx, at, &channel(n)).map(drop)?),
        Step::RestoreChannel(n) => Ok(SALES_CHANNELS.restore(tx, at, &channel(n)).map(drop)?),
    }
}

/// For every channel and time, listings, counts and memberships equal the decision, product by product and
/// variant by variant.
fn agrees(tx: &dyn Write) -> Result<(), Fault> {
    let all = |name: fn(usize) -> String| (0..N_PRODUCTS).map(name).collect::<Vec<_>>();
    for (c, at) in (0..N_CHANNELS).flat_map(|c| (-1..=N_MOMENTS).map(move |at| (c, at))) {
        let at = Timestamp::from_millis(at);
        let shelf = Shelf::open(tx, &channel(c), at)?;
        let (mut products, mut variants) = (Vec::new(), Vec::new());
        for p in 0..N_PRODUCTS {
            let Some(product) = PRODUCTS.get(tx, &product(p))? else { continue };
            if shelf.shows(&product)?.is_empty() {
                products.push(product.id.to_string());
            }
            for variant in variants_of(tx, &product.id)? {
                if shelf.shows_variant(&product, &variant.id)?.is_empty() {
                    variants.push(variant.id.to_string());
                }
            }
        }
        holds(tx, &Listing::products(Some(&channel(c)), at), &products, &all(product))?;
        holds(tx, &Listing::variants(Some(&channel(c)), at), &variants, &all(variant))?;
    }
    Ok(())
}

/// The listing contains exactly these ids, in both directions and after each id, in its count and in
/// look-ups.
fn holds(tx: &dyn Write, listing: &Listing, decided: &[String], all: &[String]) -> Result<(), Fault> {
    let ids = |after: Option<&str>, order| {
        let mut ids = Vec::new();
        listing.scan(tx, after, order, &mut |id| {
            ids.push(id.to_owned());
            Ok(std::ops::ControlFlow::Continue(()))
        })?;
        Ok::<_, Fault>(ids)
    };
    assert_eq!(ids(None, Direction::Ascending)?, decided, "{listing:?}");
    let mut backwards = ids(None, Direction::Descending)?;
    backwards.reverse();
    assert_eq!(backwards, decided, "{listing:?}");
    for after in all {
        let (below, above): (Vec<&String>, Vec<&String>) =
            decided.iter().filter(|it| *it != after).partition(|it| *it < after);
        assert_eq!(ids(Some(after), Direction::Ascending)?.iter().collect::<Vec<_>>(), above, "{listing:?}");
        let down: Vec<&String> = below.into_iter().rev().collect();
        assert_eq!(ids(Some(after), Direction::Descending)?.iter().collect::<Vec<_>>(), down, "{listing:?}");
    }
    assert_eq!(listing.count(tx)?, decided.len() as u64, "{listing:?}");
    for id in all {
        assert_eq!(listing.contains(tx, id)?, decided.contains(id), "{listing:?}, {id}");
    }
    Ok(())
}

/// A channel was swept while the clock was ahead; it is swept back in batches, and reads are right between
/// them.
#[tokio::test]
async fn channel_swept_ahead_is_swept_back_in_batches() {
    let app = TestApp::init().await;
    let check = |tx: &mut dyn Write, at: &Moment| -> Result<(), Fault> {
        set_up(tx, at)?;
        // Their windows end one after the other.
        for n in 0..N_PRODUCTS {
            let until = 100_000 * i64::try_from(n + 1).expect("a few");
            for step in [Step::Publish(n), Step::Link(n, 0), Step::SetWindow(n, 0, None, Some(until))] {
                run(tx, at, step)?;
            }
        }
        let n_listed = |tx: &dyn Write| group_count(tx, "availability.listing", &[&channel(0)]);
        sweep(tx, &channel(0), Timestamp::from_millis(AHEAD), 100)?;
        assert_eq!(n_listed(tx)?, 0);
        for expected in [3, 4, 4] {
            sweep(tx, &channel(0), Timestamp::default(), 3)?;
            assert_eq!(n_listed(tx)?, expected);
            agrees(tx)?;
        }
        Ok(())
    };
    app.ctx.write(Actor::System, check).await.expect("the sweeps");
}

#[test]
fn listing_index_agrees_with_the_decision() {
    check_drawn(
        256,
        || prop::collection::vec(step(), 1..40),
        async |steps: Vec<Step>| {
            let app = TestApp::init().await;
            let check = move |tx: &mut dyn Write, at: &Moment| -> Result<(), Fault> {
                set_up(tx, at)?;
                for step in &steps {
                    run(tx, at, *step)?;
                    agrees(tx)?;
                }
                Ok(())
            };
            app.ctx.write(Actor::System, check).await.map_err(|it| TestCaseError::fail(it.to_string()))?;
            Ok(())
        },
    );
}
