//! What crates register at link time: one entry per part, which only the kernel opens. Parts of stored data
//! are in slices that the linker puts together (`linkme`), all others in lists that are built when the
//! program starts (`inventory`), since there are many of these, in many crates.

use linkme::distributed_slice;

use crate::{
    data::{FieldLink, Link, Module, Projection},
    flow::{AnyFlow, Hook, Naming},
    http::{Led, Middleware, Resource, Route, RouteExtension},
    jobs::{Job, Metric, Subscriber, Worker},
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

/// A type of parts that crates register.
pub(crate) trait Part: 'static {
    /// All parts that are linked in, in no order.
    fn linked() -> Vec<&'static Self>;
}

macro_rules! slices {
    ($($NAME:ident: $T:ty),+ $(,)?) => { $(
        #[doc(hidden)]
        #[distributed_slice]
        pub static $NAME: [Linked<$T>];

        impl Part for $T {
            fn linked() -> Vec<&'static Self> {
                $NAME.iter().map(|it| it.0).collect()
            }
        }
    )+ };
}

macro_rules! collect {
    ($($T:ty),+ $(,)?) => { $(
        inventory::collect!(Linked<$T>);

        impl Part for $T {
            fn linked() -> Vec<&'static Self> {
                inventory::iter::<Linked<$T>>.into_iter().map(|it| it.0).collect()
            }
        }
    )+ };
}

slices!(
    MODULES: Module,
    LINKS: Link,
    FIELD_LINKS: FieldLink,
    PROJECTIONS: Projection,
    COMPUTED: Computed,
    CHECKS: Check,
);

collect!(
    Route,
    Led,
    Middleware,
    RouteExtension,
    Resource,
    Subscriber,
    Job,
    Worker,
    Metric,
    Hook,
    FeatureFlag,
    SettingsDef,
    Manifest,
    dyn AnyFlow,
    Naming,
);

/// Registers a part, which is a static, and notes where: in a slice, or in the list of its type.
#[doc(hidden)]
#[macro_export]
macro_rules! register {
    (in $SLICE:ident, $T:ty: $part:expr) => {
        #[$crate::linkme::distributed_slice($crate::$SLICE)]
        #[linkme(crate = $crate::linkme)]
        static REGISTERED: $crate::registry::Linked<$T> = $crate::registry::Linked::new($part);

        $crate::place! { $part }
    };
    ($T:ty: $part:expr) => {
        $crate::inventory::submit! { $crate::registry::Linked::<$T>::new($part) }
        $crate::place! { $part }
    };
}
