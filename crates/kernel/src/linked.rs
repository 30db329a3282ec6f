//! What crates register at link time, by `inventory`: one entry per part, which only the kernel opens.

use crate::{
    data::{FieldLink, Link, Module, Projection},
    flow::{AnyFlow, Hook, Naming},
    http::{Middleware, Resource, Route, RouteExtension},
    jobs::{Job, Subscriber},
    manifest::Manifest,
    query::Computed,
    registry::{FeatureFlag, SettingsDef},
    verify::Check,
};

/// A registered part, as `register!` submits it. Its contents are private: what a module registers is for the
/// kernel, and no other module gets at its tables, links or jobs by walking the entries.
pub struct Linked<T: ?Sized + 'static>(&'static T);

impl<T: ?Sized> Linked<T> {
    /// The entry of this part.
    pub const fn new(part: &'static T) -> Linked<T> {
        Linked(part)
    }
}

macro_rules! collect {
    ($($T:ty),+ $(,)?) => { $(inventory::collect!(Linked<$T>);)+ };
}

collect!(
    Module,
    Link,
    FieldLink,
    Projection,
    Computed,
    Check,
    Route,
    Middleware,
    RouteExtension,
    Resource,
    Subscriber,
    Job,
    Hook,
    FeatureFlag,
    SettingsDef,
    Manifest,
    dyn AnyFlow,
    Naming,
);

/// All parts of a type, in no order.
pub(crate) fn linked<T: ?Sized>() -> Vec<&'static T>
where
    Linked<T>: inventory::Collect,
{
    inventory::iter::<Linked<T>>.into_iter().map(|it| it.0).collect()
}

/// Registers a part, which is a static, and notes where.
#[doc(hidden)]
#[macro_export]
macro_rules! register {
    ($T:ty: $part:expr) => {
        $crate::inventory::submit! { $crate::registry::Linked::<$T>::new($part) }
        $crate::place! { $part }
    };
}
