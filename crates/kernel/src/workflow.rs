//! Workflows: the common interface of flows and sagas in the registry, and the macro that registers them.

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    flow::{AnyHookPoint, Flow},
    saga::{AnySaga, Saga},
};

/// A flow or a saga with its types erased, for the registry.
pub trait AnyFlow: Sync {
    /// Unique id.
    fn name(&self) -> &'static str;

    /// Points at which hooks may join within its transaction.
    fn hooks(&self) -> &'static [&'static dyn AnyHookPoint];

    /// Points at which hooks may join with external calls.
    fn external_hooks(&self) -> &'static [&'static dyn AnyHookPoint] {
        &[]
    }

    /// The saga, if it is one.
    fn as_saga(&'static self) -> Option<&'static dyn AnySaga> {
        None
    }
}

impl<I, O> AnyFlow for Flow<I, O> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn hooks(&self) -> &'static [&'static dyn AnyHookPoint] {
        self.hooks
    }
}

impl<I, O> AnyFlow for Saga<I, O>
where
    I: Serialize + DeserializeOwned + Send + 'static,
    O: Serialize + DeserializeOwned + Send + 'static,
{
    fn name(&self) -> &'static str {
        self.name
    }

    fn hooks(&self) -> &'static [&'static dyn AnyHookPoint] {
        self.hooks
    }

    fn external_hooks(&self) -> &'static [&'static dyn AnyHookPoint] {
        self.external_hooks
    }

    fn as_saga(&'static self) -> Option<&'static dyn AnySaga> {
        Some(self)
    }
}

/// Registers a flow, or a saga, above the function that it names.
///
/// ```
/// use std::time::Duration;
///
/// use atoll_kernel::{Fault, flow, flow::Local, saga::{External, Run}, serde_json::json};
///
/// flow! {
///     /// Announces an order to the warehouse. Event: `parcel.announced`.
///     pub static ANNOUNCE: Flow<String, ()> = "announce-parcel" (announce);
/// }
///
/// fn announce(flow: &mut Local<'_>, order_id: String) -> Result<(), Fault> {
///     Ok(flow.emit("parcel.announced", json!({ "order_id": order_id }))?)
/// }
///
/// flow! {
///     /// Has a label printed by the carrier.
///     pub static SHIP: Saga<String, String> = "ship-parcel" (ship), timeout: Some(Duration::from_secs(60));
/// }
///
/// async fn ship(run: &mut Run, order_id: String) -> Result<String, Fault> {
///     run.external(External::new("print-label", |_, call| async move { Ok(call.key) })).await
/// }
/// ```
#[macro_export]
macro_rules! flow {
    (
        $(#[$meta:meta])*
        $vis:vis static $NAME:ident: Flow<$In:ty, $Out:ty> = $name:literal ($run:path)
        $(, $field:ident: $value:expr)*;
    ) => {
        $(#[$meta])*
        $vis static $NAME: $crate::flow::Flow<$In, $Out> =
            $crate::flow::Flow { $($field: $value,)* ..$crate::flow::Flow::new($name, $run) };

        $crate::register! { dyn $crate::flow::AnyFlow: &$NAME }
    };
    (
        $(#[$meta:meta])*
        $vis:vis static $NAME:ident: Saga<$In:ty, $Out:ty> = $name:literal ($run:path)
        $(, $field:ident: $value:expr)*;
    ) => {
        $(#[$meta])*
        $vis static $NAME: $crate::saga::Saga<$In, $Out> = $crate::saga::Saga {
            $($field: $value,)*
            ..$crate::saga::Saga::new($name, |run, input| Box::pin($run(run, input)))
        };

        $crate::register! { dyn $crate::flow::AnyFlow: &$NAME }
    };
    ($($wrong:tt)*) => {
        compile_error!(
            "a flow or a saga is written, with its fields, if any, behind its function,\n\
             \x20   /// What it does.\n\
             \x20   pub static AWARD_POINTS: Flow<String, Points> = \"award-points\" (function), hooks: &[&AWARDED];\n\
             \x20   /// What it does.\n\
             \x20   pub static SHIP: Saga<String, Parcel> = \"ship\" (async_function), timeout: Some(DAY);"
        );
    };
}
