//! The demo: its catalogue, and a publishable key for each of its channels.

use atoll_api_key::{API_KEYS, ApiKey, ApiKeyKind, NewToken, create_key};
use atoll_catalogue::{demo, import};
use atoll_kernel::{
    Actor, Direction, Fault, Metadata, Moment, Read, Scan, StoreError, Write,
    serde_json::{Map, json},
};
use atoll_links::PUBLISHABLE_API_KEY_SALES_CHANNEL;
use atoll_sales_channel::{SALES_CHANNELS, SalesChannel};
use atoll_store::the_store;

use crate::App;

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

/// Reads the demo catalogue into the store, where it is not there yet, and says which key opens which channel. In a shop
/// that this start made, the store's default channel is the web shop of the demo, so that the first key opens something.
pub async fn load_demo(app: &App) -> anyhow::Result<Vec<DemoKey>> {
    let catalogue = demo::catalogue();
    let mut tokens = Vec::new();
    // One more than the demo's own: the default channel has a key already, others may have been added.
    for _ in 0..=catalogue.sales_channels.len() {
        tokens.push(NewToken::random(ApiKeyKind::Publishable)?);
    }
    let is_new = app.first_run.store;
    let load = move |tx: &mut dyn Write, at: &Moment| {
        if is_new {
            open_web_shop(tx, at)?;
        }
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
    Ok(app.ctx.write(Actor::System, load).await?.0)
}

/// Makes the store's default channel the one that the import knows as the web shop, and names its key after it.
fn open_web_shop(tx: &mut dyn Write, at: &Moment) -> Result<(), Fault> {
    let channel = the_store(tx)?.and_then(|it| it.default_sales_channel_id).unwrap_or_default();
    let handle = Map::from_iter([("handle".to_owned(), json!(demo::DEFAULT_CHANNEL.0))]);
    SALES_CHANNELS.update(tx, at, &channel, |it: &mut SalesChannel| it.metadata = Metadata(Some(handle)))?;
    for key in PUBLISHABLE_API_KEY_SALES_CHANNEL.lefts(tx, &channel)? {
        API_KEYS.update(tx, at, &key, |it: &mut ApiKey| it.title = demo::DEFAULT_CHANNEL.1.into())?;
    }
    Ok(())
}

fn channels(tx: &dyn Read) -> Result<Vec<SalesChannel>, StoreError> {
    let mut all = Vec::new();
    SALES_CHANNELS.table.scan(tx, None, Direction::Ascending, &mut |channel| {
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
