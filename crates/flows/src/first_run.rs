//! Seed of a new database: the records that modules need, the default channel, the store that owns it, its
//! publishable key, and the first admin user. Run at every start; creates what is missing.

use atoll_api_key::{API_KEYS, NewToken, create_key};
use atoll_kernel::{
    Ctx, Fault, Moment, Read, StoreError, Write,
    data::{Direction, Scan},
    jobs::emit,
    serde_json::{Map, json},
};
use atoll_links::PUBLISHABLE_API_KEY_SALES_CHANNEL;
use atoll_sales_channel::{SALES_CHANNELS, SalesChannel};
use atoll_store::{STORES, Store, StoreCurrency, the_store};
use atoll_user::USERS;

use crate::{
    pricing::add_missing_preferences,
    user::{NewUser, create_with_login},
};

/// What was created.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FirstRun {
    /// The store and its default channel.
    pub store: bool,
    /// The default publishable key.
    pub key: bool,
    /// The first admin user.
    pub user: bool,
}

/// Creates what is missing, in one transaction.
pub fn first_run(
    tx: &mut dyn Write,
    at: &Moment,
    ctx: &Ctx,
    token: &NewToken,
    admin: Option<&NewUser>,
) -> Result<FirstRun, Fault> {
    ctx.registry().seed(tx, at, ctx.providers())?;
    let mut made = FirstRun::default();
    let store = match the_store(tx)? {
        Some(store) => store,
        None => {
            made.store = true;
            make_store(tx, at)?
        }
    };
    add_missing_preferences(tx, at, &store)?;
    if API_KEYS.table.count(tx)? == 0 {
        made.key = true;
        let key = create_key(tx, at, "Default Publishable API Key", token)?;
        if let Some(channel) = &store.default_sales_channel_id {
            PUBLISHABLE_API_KEY_SALES_CHANNEL.attach(tx, at, &key.id, channel, Map::new())?;
        }
    }
    if let Some(admin) = admin
        && USERS.table.count(tx)? == 0
    {
        made.user = true;
        let user = create_with_login(tx, at, admin)?;
        emit(tx, at, "user.created", json!({ "id": user.id }))?;
    }
    Ok(made)
}

fn make_store(tx: &mut dyn Write, at: &Moment) -> Result<Store, Fault> {
    let channel = match first_channel(tx)? {
        Some(channel) => channel,
        None => {
            let channel = SalesChannel {
                name: "Default Sales Channel".into(),
                description: Some("Created by Atoll".into()),
                ..SalesChannel::default()
            };
            SALES_CHANNELS.create(tx, at, channel)?
        }
    };
    let euro = StoreCurrency { currency_code: "eur".into(), is_default: true, ..StoreCurrency::default() };
    let store = Store { default_sales_channel_id: Some(channel.id.to_string()), ..Store::default() };
    let store = STORES.create(tx, at, store)?;
    let patch = atoll_store::StorePatch { supported_currencies: Some(vec![euro]), ..Default::default() };
    Ok(atoll_store::update(tx, at, &store.id, patch)?)
}

fn first_channel(tx: &dyn Read) -> Result<Option<SalesChannel>, StoreError> {
    let mut first = None;
    SALES_CHANNELS.table.scan(tx, None, Direction::Ascending, &mut |channel| {
        first = Some(channel);
        Ok(Scan::Break(()))
    })?;
    Ok(first)
}
