//! The listing of a channel is an index form of the decision: whatever happens, both say the same.

use atoll_availability::{Listing, Shelf};
use atoll_kernel::{Actor, Fault, Ids, Moment, Order, Write};
use atoll_links::PRODUCT_SALES_CHANNEL;
use atoll_product::{
    OptionInput, PRODUCTS, Product, ProductPatch, ProductStatus, create_product, delete_product,
    restore_product, update_product,
};
use atoll_sales_channel::{SALES_CHANNELS, SalesChannel};
use atoll_testkit::TestApp;
use proptest::prelude::*;
use serde_json::Map;

const N_PRODUCTS: usize = 4;
const N_CHANNELS: usize = 3;

/// Something that may happen to a product, a channel, or both.
#[derive(Clone, Copy, Debug)]
enum Step {
    Link(usize, usize),
    Unlink(usize, usize),
    Publish(usize),
    Draft(usize),
    Delete(usize),
    Restore(usize),
    DeleteChannel(usize),
    RestoreChannel(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let (product, channel) = (0..N_PRODUCTS, 0..N_CHANNELS);
    prop_oneof![
        3 => (product.clone(), channel.clone()).prop_map(|(p, c)| Step::Link(p, c)),
        1 => (product.clone(), channel.clone()).prop_map(|(p, c)| Step::Unlink(p, c)),
        2 => product.clone().prop_map(Step::Publish),
        1 => product.clone().prop_map(Step::Draft),
        1 => product.clone().prop_map(Step::Delete),
        1 => product.prop_map(Step::Restore),
        1 => channel.clone().prop_map(Step::DeleteChannel),
        1 => channel.prop_map(Step::RestoreChannel),
    ]
}

fn product(n: usize) -> String {
    format!("prod_{n}")
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
        create_product(tx, at, product, &[OptionInput { title: "Size".into(), values: Vec::new() }])?;
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
            // Refused where one end was deleted, and that is fine.
            let _ = PRODUCT_SALES_CHANNEL.attach(tx, at, &product(p), &channel(c), Map::new());
            Ok(())
        }
        Step::Unlink(p, c) => Ok(PRODUCT_SALES_CHANNEL.detach(tx, at, &product(p), &channel(c)).map(drop)?),
        Step::Publish(n) => status(tx, n, ProductStatus::Published),
        Step::Draft(n) => status(tx, n, ProductStatus::Draft),
        Step::Delete(n) => Ok(delete_product(tx, at, &product(n)).map(drop)?),
        Step::Restore(n) => Ok(restore_product(tx, at, &product(n)).map(drop)?),
        Step::DeleteChannel(n) => Ok(SALES_CHANNELS.soft_delete(tx, at, &channel(n)).map(drop)?),
        Step::RestoreChannel(n) => Ok(SALES_CHANNELS.restore(tx, at, &channel(n)).map(drop)?),
    }
}

/// For every channel: the listing, its count and its membership are what the decision says, product by product.
fn agrees(tx: &dyn Write) -> Result<(), Fault> {
    for c in 0..N_CHANNELS {
        let shelf = Shelf::open(tx, &channel(c))?;
        let mut decided = Vec::new();
        for p in 0..N_PRODUCTS {
            if let Some(product) = PRODUCTS.get(tx, &product(p))?
                && shelf.shows(&product)?.is_empty()
            {
                decided.push(product.id.to_string());
            }
        }
        let listing = Listing { channel: channel(c) };
        let mut listed = Vec::new();
        listing.scan(tx, Order::Ascending, &mut |id| {
            listed.push(id.to_owned());
            Ok(std::ops::ControlFlow::Continue(()))
        })?;
        assert_eq!(listed, decided, "channel {c}");
        assert_eq!(listing.count(tx)?, decided.len() as u64, "channel {c}");
        for p in 0..N_PRODUCTS {
            assert_eq!(
                listing.contains(tx, &product(p))?,
                decided.contains(&product(p)),
                "channel {c}, product {p}"
            );
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn the_listing_is_the_decision(steps in prop::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let app = TestApp::init().await;
            let check = move |tx: &mut dyn Write, at: &Moment| -> Result<(), Fault> {
                set_up(tx, at)?;
                for step in &steps {
                    run(tx, at, *step)?;
                    agrees(tx)?;
                }
                Ok(())
            };
            app.ctx.write(Actor::System, check).await.expect("the steps");
        });
    }
}
