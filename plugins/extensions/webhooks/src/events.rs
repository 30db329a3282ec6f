//! Which events a webhook wants: by name or pattern, and by sales channel.

use std::collections::BTreeSet;

use atoll_kernel::{
    Ctx, Fault, Read, Registry, StoreError,
    data::{Scalar, skip_damaged},
    events,
    http::UNSIGNED_TOKEN,
    jobs::Event,
    query::Graph,
    registry::nearest,
    serde_json::Value,
};
use atoll_sales_channel::SALES_CHANNEL;

use crate::Webhook;

/// A webhook was switched off by itself: `id`, and `because`: `gone` or `failing`.
pub(crate) const SWITCHED_OFF: &str = "webhook.switched_off";

/// What the test button sends.
pub(crate) const TEST: &str = "webhook.test";

events! { SWITCHED_OFF, TEST }

/// The events that webhooks can be sent: those that crates declare. Changes of records are not among them,
/// since they are written only where a subscriber follows them.
pub(crate) fn known(registry: &Registry) -> BTreeSet<&'static str> {
    registry.events.iter().flat_map(|it| it.names).copied().collect()
}

/// Does this name, or pattern, mean this event?
fn means(wanted: &str, event: &str) -> bool {
    wanted.strip_suffix('*').map_or(wanted == event, |beginning| event.starts_with(beginning))
}

/// Error: 400 for one that means no event, with the nearest that is known.
pub(crate) fn check_names(ctx: &Ctx, names: &[String]) -> Result<(), Fault> {
    let known = known(ctx.registry());
    let unknown = names.iter().find(|name| !known.iter().any(|event| means(name, event)));
    match unknown {
        None => Ok(()),
        Some(name) => {
            let hint = nearest(name.trim_end_matches('*'), known);
            Err(Fault::invalid(format!("There is no event `{name}`{hint}")))
        }
    }
}

/// What is sent of the data of an event: tokens are for subscribers of the shop alone.
pub(crate) fn sent(mut data: Value) -> Value {
    if let Some(fields) = data.as_object_mut() {
        fields.remove(UNSIGNED_TOKEN);
    }
    data
}

/// Does the webhook want this event? Its channels are looked up if that decides, once per event.
pub(crate) fn wants(
    webhook: &Webhook,
    event: &Event,
    channels: &mut Channels<'_>,
) -> Result<bool, StoreError> {
    if !webhook.events.iter().any(|it| means(it, &event.name)) {
        return Ok(false);
    }
    if webhook.sales_channel_ids.is_empty() {
        return Ok(true);
    }
    Ok(channels.of(event)?.iter().any(|it| webhook.sales_channel_ids.contains(it)))
}

/// The sales channels of one event.
pub(crate) struct Channels<'a> {
    view: &'a dyn Read,
    graph: &'static Graph,
    found: Option<Vec<String>>,
}

impl<'a> Channels<'a> {
    pub(crate) fn new(view: &'a dyn Read, graph: &'static Graph) -> Channels<'a> {
        Channels { view, graph, found: None }
    }

    fn of(&mut self, event: &Event) -> Result<&[String], StoreError> {
        if self.found.is_none() {
            self.found = Some(channels_of(self.view, self.graph, event)?);
        }
        Ok(self.found.as_deref().unwrap_or_default())
    }
}

/// The sales channels of an event: those that its data name, as `sales_channel_id` or `sales_channel_ids`;
/// else that of the record it is about (`order.placed` of the order `id`), or of one whose id it holds
/// (`order_id`), if these have a `sales_channel_id`. None if nothing says it.
fn channels_of(view: &dyn Read, graph: &Graph, event: &Event) -> Result<Vec<String>, StoreError> {
    let text = |it: &Value| it.as_str().map(str::to_owned);
    let data = &event.data;
    if let Some(id) = data["sales_channel_id"].as_str() {
        return Ok(vec![id.to_owned()]);
    }
    if let Some(ids) = data["sales_channel_ids"].as_array() {
        return Ok(ids.iter().filter_map(text).collect());
    }
    let noun = event.name.split('.').next().unwrap_or_default().replace('-', "_");
    let own = data["id"].as_str().map(|id| (noun, id.to_owned()));
    let fields = data.as_object().into_iter().flatten();
    let named = fields.filter_map(|(key, id)| Some((key.strip_suffix("_id")?.to_owned(), text(id)?)));
    for (entity, id) in own.into_iter().chain(named) {
        if entity == SALES_CHANNEL {
            return Ok(vec![id]);
        }
        if let Some(channel) = channel_of(view, graph, &entity, &id)? {
            return Ok(vec![channel]);
        }
    }
    Ok(Vec::new())
}

/// The sales channel of a record, deleted or not. One that is damaged has none: it must not hold up events.
fn channel_of(view: &dyn Read, graph: &Graph, entity: &str, id: &str) -> Result<Option<String>, StoreError> {
    if !graph.has_table(entity) {
        return Ok(None);
    }
    let table = graph.table(entity);
    let live = skip_damaged(table.node(view, id))?.flatten();
    let record = match live {
        Some(record) => Some(record),
        None => skip_damaged(table.deleted_node(view, id))?.flatten(),
    };
    Ok(record.and_then(|it| match it.scalar("sales_channel_id") {
        Scalar::Text(channel) => Some(channel.to_owned()),
        _ => None,
    }))
}
