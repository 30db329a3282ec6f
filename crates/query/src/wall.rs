//! Access control in the graph: the wall of a caller, the visibility of each entity, and what follows for a
//! record, the targets of a relation and a list. What neither of them shows is hidden.

use std::{any::Any, fmt, slice};

use atoll_storage::{EntityDef, Node, Read, Record, Scalar, StoreError};
use atoll_values::Filter;

use crate::{Context, Env, Ids, QueryError, Relation, Resolve, Union};

/// The limit of what a caller may see. Every list and every relation of a query ends at it: records beyond it
/// are absent from answers, counts, filters and sort orders alike. Callers without a wall are admins, who see
/// everything.
pub trait Wall: Any + fmt::Debug + Send + Sync {
    /// The records that it shows of an entity for which it has a rule of its own; `None` if the
    /// [`Visibility`] of the entity decides.
    fn ids(&self, entity: &str) -> Option<Box<dyn Ids>>;

    /// The ids of the sales channels of the caller, disabled ones among them; `None` if channels confine
    /// nothing.
    fn channel_ids(&self) -> Option<Vec<&str>>;

    /// Those of them that are enabled.
    fn enabled_channel_ids(&self) -> Option<Vec<&str>>;

    /// The id of the customer who asks.
    fn customer(&self) -> Option<&str>;

    /// The ids of the records some of whose children it may hide, where it shows the records themselves: the
    /// products of a channel that leaves out some of their variants. `None` if that is not known of this
    /// entity of children, or if it hides more than `n_max` of them.
    fn partly_hidden(&self, _: &dyn Read, _: &str, _: u64) -> Result<Option<Vec<String>>, StoreError> {
        Ok(None)
    }
}

/// The wall of an unknown caller: no relation leads anywhere.
#[derive(Clone, Copy, Debug)]
pub struct Nothing;

impl Wall for Nothing {
    fn ids(&self, _: &str) -> Option<Box<dyn Ids>> {
        Some(nothing())
    }

    fn channel_ids(&self) -> Option<Vec<&str>> {
        Some(Vec::new())
    }

    fn enabled_channel_ids(&self) -> Option<Vec<&str>> {
        Some(Vec::new())
    }

    fn customer(&self) -> Option<&str> {
        None
    }
}

fn nothing() -> Box<dyn Ids> {
    Box::new(Union(Vec::new()))
}

/// Who sees the records of an entity, besides admins. The default is that nobody does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Visibility {
    /// Only admins.
    #[default]
    Admins,
    /// Every holder of a publishable key: what says nothing of channels and customers, such as regions.
    Everyone,
    /// The keys of the channels that list it: products, variants and categories, for which the wall has a
    /// rule of its own.
    Listing,
    /// The keys of the channel whose id is in this field, while it is enabled.
    OfChannel(&'static str),
    /// The customer whose id is in this field.
    OfCustomer(&'static str),
    /// Whoever names it by its id, with a key of the channel in one field; lists and relations lead only the
    /// customer in the other one to it. A cart and an order, whose ids cannot be guessed, and which a buyer
    /// has when the channel is disabled.
    ById {
        /// The field with the id of the channel.
        channel: &'static str,
        /// The field with the id of the customer.
        customer: &'static str,
    },
    /// Whoever sees one of the records to which these relations lead: a review is seen with its product.
    With(&'static [&'static str]),
}

/// As `atoll check` prints it.
impl fmt::Display for Visibility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Visibility::Admins => f.write_str("admins"),
            Visibility::Everyone => f.write_str("everyone"),
            Visibility::Listing => f.write_str("channels that list it"),
            Visibility::OfChannel(field) => write!(f, "the channel in {field}"),
            Visibility::OfCustomer(field) => write!(f, "the customer in {field}"),
            Visibility::ById { channel, customer } => {
                write!(
                    f,
                    "whoever knows its id, in the channel in {channel}; listed to the customer in {customer}"
                )
            }
            Visibility::With(relations) => write!(f, "whoever sees its {}", relations.join(" or ")),
        }
    }
}

fn text<'a>(record: &'a dyn Record, field: &str) -> Option<&'a str> {
    match record.scalar(field) {
        Scalar::Text(text) => Some(text),
        _ => None,
    }
}

/// How a record is come upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// The caller has named it by its id.
    ById,
    /// A list or a relation leads to it.
    Listed,
}

impl Env<'_> {
    /// May the caller see this record, which it has named by its id or has just written?
    pub fn shows(&self, node: &Node) -> Result<bool, StoreError> {
        self.shows_by(Access::ById, node)
    }

    fn shows_by(&self, access: Access, node: &Node) -> Result<bool, StoreError> {
        let Some(wall) = self.context.wall() else { return Ok(true) };
        let entity = node.def().name;
        if let Some(ids) = wall.ids(entity) {
            return ids.contains(self.view, node.key());
        }
        let of_one = |channels: Option<Vec<&str>>, field| {
            let channel = text(&**node, field);
            channels.is_none_or(|all| channel.is_some_and(|it| all.contains(&it)))
        };
        let of_customer =
            |field| wall.customer().is_some_and(|customer| text(&**node, field) == Some(customer));
        Ok(match self.graph.visibility(entity) {
            Visibility::Admins | Visibility::Listing => false,
            Visibility::Everyone => true,
            Visibility::OfChannel(field) => of_one(wall.enabled_channel_ids(), field),
            Visibility::OfCustomer(field) => of_customer(field),
            Visibility::ById { channel, customer } => {
                of_one(wall.channel_ids(), channel) && (access == Access::ById || of_customer(customer))
            }
            Visibility::With(relations) => {
                let shown = self.shows_with(access, relations, slice::from_ref(node)).map_err(of_store)?;
                shown.first() == Some(&true)
            }
        })
    }

    /// May the caller see this target of a relation, whose start is seen?
    pub(crate) fn shows_target(&self, relation: &Relation, target: &Node) -> Result<bool, StoreError> {
        let Some(wall) = self.context.wall() else { return Ok(true) };
        // An embedded record is part of the one that is seen.
        if matches!(relation.resolve, Resolve::Embedded) {
            return Ok(true);
        }
        if let Some(ids) = wall.ids(relation.to) {
            return ids.contains(self.view, target.key());
        }
        // The way back leads to the start, which is seen, and need not be read again.
        let is_way_back = || match self.graph.visibility(relation.to) {
            Visibility::With(relations) => relation.back.is_some_and(|back| relations.contains(&back)),
            _ => false,
        };
        if relation.reveals || is_way_back() { Ok(true) } else { self.shows_by(Access::Listed, target) }
    }

    /// For each of these records of one entity: is one of the records that these relations lead to seen?
    fn shows_with(
        &self,
        access: Access,
        relations: &[&str],
        nodes: &[Node],
    ) -> Result<Vec<bool>, QueryError> {
        let mut shown = vec![false; nodes.len()];
        let Some(entity) = nodes.first().map(|it| it.def().name) else { return Ok(shown) };
        let unconfined = Context::unconfined(&self.context.at);
        let env = Env { context: &unconfined, ..*self };
        for name in relations {
            // The registry checks them; one of a module that is switched off is absent.
            let Some(relation) = self.graph.relation(entity, name) else { continue };
            for (shown, targets) in shown.iter_mut().zip(relation.resolve(&env, nodes)?) {
                for target in targets {
                    *shown = *shown || self.shows_by(access, &target)?;
                }
            }
        }
        Ok(shown)
    }
}

/// Following a relation fails by the store alone: only computed fields need values of the context.
fn of_store(error: QueryError) -> StoreError {
    match error {
        QueryError::Store(error) => error,
        other => StoreError::Engine(other.to_string()),
    }
}

/// What confines a list, beyond its filters and sets.
pub(crate) struct Confined(Option<&'static [&'static str]>);

impl Confined {
    /// Adds what the caller may see of `entity` to the filters and sets of a list.
    pub(crate) fn list(
        env: &Env<'_>,
        entity: &EntityDef,
        filters: &mut Vec<Filter>,
        within: &mut Vec<Box<dyn Ids>>,
    ) -> Confined {
        let Some(wall) = env.context.wall() else { return Confined(None) };
        if let Some(ids) = wall.ids(entity.name) {
            within.push(ids);
            return Confined(None);
        }
        let mut one_of = |field: &'static str, values: Vec<&str>| match values.is_empty() {
            true => within.push(nothing()),
            false => filters.push(Filter::is_in(field, values.into_iter().map(str::to_owned).collect())),
        };
        match env.graph.visibility(entity.name) {
            Visibility::Everyone => {}
            Visibility::Admins | Visibility::Listing => within.push(nothing()),
            Visibility::OfChannel(field) => {
                if let Some(channels) = wall.enabled_channel_ids() {
                    one_of(field, channels);
                }
            }
            Visibility::OfCustomer(field) => one_of(field, wall.customer().into_iter().collect()),
            Visibility::ById { channel, customer } => {
                one_of(customer, wall.customer().into_iter().collect());
                if let Some(channels) = wall.channel_ids() {
                    one_of(channel, channels);
                }
            }
            Visibility::With(relations) => return Confined(Some(relations)),
        }
        Confined(None)
    }

    /// Confined by nothing.
    pub(crate) fn nothing() -> Confined {
        Confined(None)
    }

    /// Must each candidate be looked at?
    pub(crate) fn asks_each(&self) -> bool {
        self.0.is_some()
    }

    /// For each of these candidates: may the caller see it?
    pub(crate) fn shows(&self, env: &Env<'_>, nodes: &[Node]) -> Result<Vec<bool>, QueryError> {
        match self.0 {
            Some(relations) => env.shows_with(Access::Listed, relations, nodes),
            None => Ok(vec![true; nodes.len()]),
        }
    }
}
