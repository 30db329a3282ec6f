//! The demo: its catalogue, and a publishable key for each of its channels.

use atoll_api_key::{API_KEYS, ApiKeyKind, NewToken, create_key};
use atoll_flows::catalogue::{demo, import};
use atoll_kernel::{Actor, Ctx, Fault, Moment, Order, Read, Scan, StoreError, Write, serde_json::Map};
use atoll_links::PUBLISHABLE_API_KEY_SALES_CHANNEL;
use atoll_sales_channel::{SALES_CHANNELS, SalesChannel};

/// A key of the demo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoKey {
    /// The name of its channel.
    pub channel: String,
    /// Does the channel sell nothing?
    pub is_disabled: bool,
    /// The key.
    pub token: String,
}

/// Reads the demo catalogue into the store, where it is not there yet, and says which key opens which channel.
pub async fn load_demo(ctx: &Ctx) -> anyhow::Result<Vec<DemoKey>> {
    let catalogue = demo::catalogue();
    let mut tokens = Vec::new();
    // One more than the demo's own: the default channel has a key already, others may have been added.
    for _ in 0..=catalogue.sales_channels.len() {
        tokens.push(NewToken::random(ApiKeyKind::Publishable)?);
    }
    let load = move |tx: &mut dyn Write, at: &Moment| {
        import(tx, at, &catalogue, &|| {})?;
        let mut tokens = tokens.iter();
        for channel in channels(tx)? {
            if PUBLISHABLE_API_KEY_SALES_CHANNEL.lefts(tx, &channel.id)?.is_empty()
                && let Some(token) = tokens.next()
            {
                let key = create_key(tx, at, &channel.name, token)?;
                PUBLISHABLE_API_KEY_SALES_CHANNEL.attach(tx, at, &key.id, &channel.id, Map::new())?;
            }
        }
        keys(tx)
    };
    Ok(ctx.write(Actor::System, load).await?.0)
}

fn channels(tx: &dyn Read) -> Result<Vec<SalesChannel>, StoreError> {
    let mut all = Vec::new();
    SALES_CHANNELS.table.scan(tx, None, Order::Ascending, &mut |channel| {
        all.push(channel);
        Ok(Scan::Continue(()))
    })?;
    Ok(all)
}

fn keys(tx: &dyn Read) -> Result<Vec<DemoKey>, Fault> {
    let mut keys = Vec::new();
    for channel in channels(tx)? {
        for key in PUBLISHABLE_API_KEY_SALES_CHANNEL.lefts(tx, &channel.id)?.into_iter().take(1) {
            let token = API_KEYS.retrieve(tx, &key)?.stored_token;
            keys.push(DemoKey { channel: channel.name.clone(), is_disabled: channel.is_disabled, token });
        }
    }
    Ok(keys)
}
