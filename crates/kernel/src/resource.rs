//! The face of an entity in HTTP: its envelopes, its default fields, what may be asked of it. What one
//! request asks is a [`ReadPlan`](crate::ReadPlan).

use crate::{EntityDef, Envelope, Offer, Registry};

/// How an entity is shown on one kind of route.
pub struct Resource {
    /// The entity.
    pub entity: &'static str,
    /// The name of one in an envelope.
    pub one: &'static str,
    /// The name of a list in an envelope.
    pub many: &'static str,
    /// What is shown where the request does not say: in the syntax of `fields`.
    pub fields: &'static [&'static str],
    /// What a request may ask for of what hangs on the record. Without an offer it may ask for everything;
    /// with one, the rest is left out in silence, and lists are sorted by the record's own fields alone.
    pub offer: Option<Offer>,
    /// Parameters whose filter is on another field: `tag_id` on `tags.id`.
    pub renamed: &'static [(&'static str, &'static str)],
}

impl Envelope for Resource {
    fn entity(&self) -> &'static str {
        self.entity
    }

    fn one(&self) -> &'static str {
        self.one
    }

    fn many(&self) -> &'static str {
        self.many
    }
}

impl Resource {
    pub(crate) fn def(&self) -> &'static EntityDef {
        Registry::graph().entity(self.entity).unwrap_or_else(|| panic!("no module has `{}`", self.entity))
    }
}

/// A resource, as `routes!` and `resources!` submit it.
pub struct ResourceEntry(pub &'static Resource);

inventory::collect!(ResourceEntry);

/// Registers resources that are shown by routes and that no table of routes begins with (`of RESOURCE;`
/// registers its own): their default fields are read, and looked at, when the program starts.
#[macro_export]
macro_rules! resources {
    ($($RESOURCE:expr),+ $(,)?) => {
        $($crate::inventory::submit! { $crate::ResourceEntry(&$RESOURCE) })+
    };
}
