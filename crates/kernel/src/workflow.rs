//! Workflows: the common interface of flows and sagas in the registry, and the macro that registers them.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    Actor, Ctx, Fault,
    data::View,
    flow::{AnyHookPoint, Flow, Local},
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

/// A flow that can be run by its name, with JSON: its input can be deserialised, and its result serialised.
pub trait NamedFlow: Sync {
    /// Runs the flow as a part of a transaction.
    fn run_json(&'static self, local: &mut Local<'_>, input: Value) -> Result<Value, Fault>;
}

impl<I, O> NamedFlow for Flow<I, O>
where
    I: DeserializeOwned + Clone,
    O: Serialize,
{
    fn run_json(&'static self, local: &mut Local<'_>, input: Value) -> Result<Value, Fault> {
        let input = serde_json::from_value(input)
            .map_err(|error| Fault::invalid(format!("Invalid input of {}: {error}", self.name)))?;
        serde_json::to_value(local.run(self, input)?).map_err(Fault::unexpected)
    }
}

/// Asks whether a flow can be run by name; the compiler chooses between the two traits by the bounds of
/// [`NamedFlow`].
#[doc(hidden)]
pub struct ByName<T: 'static>(pub &'static T);

#[doc(hidden)]
pub trait IsNamed {
    fn named(&self) -> Option<&'static dyn NamedFlow>;
}

impl<T: NamedFlow> IsNamed for ByName<T> {
    fn named(&self) -> Option<&'static dyn NamedFlow> {
        Some(self.0)
    }
}

#[doc(hidden)]
pub trait IsUnnamed {
    fn named(&self) -> Option<&'static dyn NamedFlow> {
        None
    }
}

impl<T> IsUnnamed for &ByName<T> {}

impl Local<'_> {
    /// Runs another flow as a part of this one, by its name and with JSON. Errors: 404 for an unknown name,
    /// 400 for a saga, for a flow that needs more than data, and for an input that it cannot read.
    pub fn run_named(&mut self, name: &str, input: Value) -> Result<Value, Fault> {
        let registry = self.ctx().registry();
        let Some(flow) = registry.flows.iter().find(|it| it.name() == name) else {
            return Err(Fault::not_found(format!("Workflow with id \"{name}\" not found.")));
        };
        match registry.named_flows.get(name) {
            Some(named) => named.run_json(self, input),
            None if flow.as_saga().is_some() => Err(Fault::not_allowed(format!(
                "Workflow {name} is a saga, which is no part of a transaction"
            ))),
            None => Err(Fault::not_allowed(format!(
                "Workflow {name} cannot be run by name: its input or result is not data alone"
            ))),
        }
    }
}

impl Ctx {
    /// Runs a flow as one transaction, by its name and with JSON: for modules, which may name no flow of
    /// others. Errors are those of [`Local::run_named`].
    pub async fn run_named(&self, name: &str, actor: Actor, input: Value) -> Result<(Value, View), Fault> {
        let name = name.to_owned();
        self.local(actor, move |local| local.run_named(&name, input)).await
    }
}

/// Whether a flow can be run by its name, as `flow!` registers it.
#[doc(hidden)]
pub struct Naming {
    /// The name of the flow.
    pub name: &'static str,
    /// The flow, if it can be run by its name.
    pub named: fn() -> Option<&'static dyn NamedFlow>,
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
        $crate::inventory::submit! {
            $crate::registry::Linked::<$crate::flow::Naming>::new(&$crate::flow::Naming {
                name: $name,
                named: || {
                    use $crate::flow::{IsNamed as _, IsUnnamed as _};
                    (&$crate::flow::ByName(&$NAME)).named()
                },
            })
        }
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
