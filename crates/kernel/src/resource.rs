//! Resources: the HTTP representation of an entity (envelopes, default fields, allow-list of relations). The
//! plan of one request is a [`ReadPlan`](crate::http::ReadPlan).

use crate::{Registry, data::EntityDef, http::Envelope, query::StoreFields};

/// The representation of an entity on one kind of route.
pub struct Resource {
    /// The entity.
    pub entity: &'static str,
    /// Key of a single record in its envelope: `product`.
    pub one: &'static str,
    /// Key of a list in its envelope: `products`.
    pub many: &'static str,
    /// Default fields, in the syntax of `fields`.
    pub fields: &'static [&'static str],
    /// What storefronts may ask for: the allow-list of relations and computed fields that `fields` may
    /// select. The rest is left out without an error, and lists are ordered by the record's own fields only.
    /// `None`: it is for admins, who may ask for everything; a store route of it is refused at start.
    pub store_fields: Option<StoreFields>,
    /// Parameters that filter by another field: `tag_id` by `tags.id`.
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

    // With what modules add. The checks at the start, which the registry is built from, see the resource's
    // own.
    fn store_fields(&self) -> Option<&StoreFields> {
        match Registry::built() {
            Some(registry) => registry.extended.store_fields_of(self),
            None => self.store_fields.as_ref(),
        }
    }
}

impl Resource {
    pub(crate) fn def(&self) -> &'static EntityDef {
        Registry::graph().entity(self.entity).unwrap_or_else(|| panic!("no module has `{}`", self.entity))
    }
}

/// Registers resources that no table of routes begins with (`of RESOURCE;` registers its own), so that their
/// default fields are parsed and checked at the start.
#[macro_export]
macro_rules! resources {
    ($($RESOURCE:expr),+ $(,)?) => {
        $(
            $crate::register! { $crate::http::Resource: &$RESOURCE }
        )+
    };
    ($($wrong:tt)*) => {
        compile_error!(
            "resources are written as a list of statics:\n\
             \x20   REVIEW, REVIEW_OF_STORE"
        );
    };
}
