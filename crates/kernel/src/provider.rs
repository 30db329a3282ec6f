//! Providers: implementations of a contract (payment, fulfilment, …) that crates register at link time, found
//! by kind and id; and which of them serve, by configuration.

use std::{any::Any, collections::BTreeMap};

use crate::{
    Ctx, Fault, Moment, Registry, Write,
    data::{Entity, RowError, Service},
    http::Source,
    registry::SettingDef,
};

/// A kind of provider: its contract, as the type `dyn Trait`. [`provider_kind!`](crate::provider_kind)
/// implements it, in the crate that owns the trait.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no kind of provider",
    note = "the crate that owns the trait declares it: `provider_kind! {{ dyn Trait as \"name\" }}`"
)]
pub trait ProviderKind: Send + Sync + 'static {
    /// Its name in settings and errors: `payment`.
    const NAME: &'static str;
}

/// A kind of provider, as `provider_kind!` submits it.
pub struct ProviderKindEntry {
    /// Its name.
    pub name: &'static str,
    /// Where it is declared.
    pub source: Source,
}

inventory::collect!(ProviderKindEntry);

/// A provider, as `provider!` submits it.
pub struct ProviderEntry {
    /// The name of its kind.
    pub kind: &'static str,
    /// Its id, unique among the providers of its kind.
    pub id: &'static str,
    /// Where it is registered.
    pub source: Source,
    /// A `&'static dyn Trait`.
    pub(crate) provider: &'static (dyn Any + Send + Sync),
}

inventory::collect!(ProviderEntry);

impl ProviderEntry {
    /// A provider of the kind `K`.
    pub const fn new<K: ProviderKind + ?Sized>(
        id: &'static str,
        source: Source,
        provider: &'static &'static K,
    ) -> ProviderEntry {
        ProviderEntry { kind: K::NAME, id, source, provider }
    }

    /// The provider, if it is of the kind `K`.
    fn of<K: ProviderKind + ?Sized>(&self) -> Option<&'static K> {
        self.provider.downcast_ref::<&'static K>().copied()
    }
}

/// Declares a kind of provider: a trait with the supertraits `Send + Sync`, and its name in settings.
///
/// ```
/// use atoll_kernel::provider_kind;
///
/// trait Postman: Send + Sync {
///     fn deliver(&self, letter: &str);
/// }
///
/// provider_kind! { dyn Postman as "postman" }
/// ```
#[macro_export]
macro_rules! provider_kind {
    ($Kind:ty as $name:literal) => {
        impl $crate::registry::ProviderKind for $Kind {
            const NAME: &'static str = $name;
        }

        $crate::inventory::submit! {
            $crate::registry::ProviderKindEntry { name: $name, source: $crate::source!() }
        }
    };
    ($($wrong:tt)*) => {
        compile_error!(
            "a kind of provider is written\n\
             \x20   dyn PaymentProvider as \"payment\""
        );
    };
}

/// Registers a provider of a kind under an id: letters, digits, `_` and `-`.
///
/// ```
/// use atoll_kernel::{provider, provider_kind};
///
/// trait Postman: Send + Sync {
///     fn deliver(&self, letter: &str);
/// }
///
/// provider_kind! { dyn Postman as "postman" }
///
/// struct Pigeon;
///
/// impl Postman for Pigeon {
///     fn deliver(&self, letter: &str) {}
/// }
///
/// provider! { dyn Postman: "post_pigeon" => Pigeon }
/// ```
#[macro_export]
macro_rules! provider {
    ($Kind:ty: $id:expr => $provider:expr) => {
        const _: () = {
            static PROVIDER: &$Kind = &$provider;

            $crate::inventory::submit! {
                $crate::registry::ProviderEntry::new::<$Kind>($id, $crate::source!(), &PROVIDER)
            }
            $crate::place! { &PROVIDER }
        };
    };
    ($($wrong:tt)*) => {
        compile_error!(
            "a provider is written\n\
             \x20   dyn PaymentProvider: \"pp_bank\" => Bank"
        );
    };
}

/// The configuration of providers: per kind, the ids of those that serve, in the order in which they are
/// offered. Of a kind that it does not name all that are linked in serve, by id, without those that have
/// settings that must be set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProviderChoice(BTreeMap<String, Vec<String>>);

impl ProviderChoice {
    /// Sets the providers of a kind.
    pub fn set(&mut self, kind: &str, ids: Vec<String>) {
        self.0.insert(kind.to_owned(), ids);
    }

    /// Is this id named for any kind?
    pub fn names(&self, id: &str) -> bool {
        self.0.values().flatten().any(|it| it == id)
    }
}

/// The providers that serve, by kind and in the order of the configuration.
#[derive(Default)]
pub struct Providers(Vec<&'static ProviderEntry>);

impl Providers {
    /// The providers of a kind, with their ids.
    pub fn of<K: ProviderKind + ?Sized>(&self) -> impl Iterator<Item = (&'static str, &'static K)> {
        self.0.iter().filter(|it| it.kind == K::NAME).filter_map(|it| Some((it.id, it.of()?)))
    }

    /// Keeps a record for each provider of the kind `K` that serves, under its id, and marks those that do
    /// not serve any more: `is_enabled` is that field. For the `seed` of the module that has the records.
    pub fn record<K: ProviderKind + ?Sized, T: Entity + Default + PartialEq>(
        &self,
        tx: &mut dyn Write,
        at: &Moment,
        records: &Service<T>,
        is_enabled: fn(&mut T) -> &mut bool,
    ) -> Result<(), RowError> {
        let serving: Vec<&str> = self.of::<K>().map(|(id, _)| id).collect();
        for id in &serving {
            if !records.table.exists(tx, id)? {
                let mut record = T::default();
                record.init((*id).into(), at.now());
                records.create(tx, at, record)?;
            }
        }
        for record in records.table.list_all(tx)? {
            let serves = serving.contains(&&**record.id());
            records.update(tx, at, record.id(), |it: &mut T| *is_enabled(it) = serves)?;
        }
        Ok(())
    }
}

impl Registry {
    /// Is this the id of a provider, of any kind? Then it may have settings under its id.
    pub fn is_provider(&self, id: &str) -> bool {
        self.providers.iter().any(|it| it.id == id)
    }

    /// Has this provider settings that must be set? It serves only where the configuration names it.
    pub fn must_be_set_up(&self, id: &str) -> bool {
        self.settings.iter().any(|it| it.module == id && it.keys.iter().any(SettingDef::must_be_set))
    }

    /// The ids of the providers of a kind that are linked in, ascending.
    pub fn provider_ids(&self, kind: &str) -> impl Iterator<Item = &'static str> {
        self.providers.iter().filter(move |it| it.kind == kind).map(|it| it.id)
    }

    /// The provider of this kind with this id, if it is linked in. It may not serve any more, and still be
    /// needed: a payment is captured by the provider that authorised it.
    pub fn provider<K: ProviderKind + ?Sized>(&self, id: &str) -> Option<&'static K> {
        self.providers.iter().find(|it| it.kind == K::NAME && it.id == id)?.of()
    }

    /// The providers that serve by this configuration. Ids that are not linked in are left out; the host has
    /// refused them.
    pub fn serving(&self, choice: &ProviderChoice) -> Providers {
        let mut serving = Vec::new();
        for kind in &self.provider_kinds {
            let mut of_kind = self.providers.iter().copied().filter(|it| it.kind == kind.name);
            match choice.0.get(kind.name) {
                None => serving.extend(of_kind.filter(|it| !self.must_be_set_up(it.id))),
                Some(ids) => {
                    let linked: Vec<_> = of_kind.by_ref().collect();
                    serving.extend(ids.iter().filter_map(|id| linked.iter().find(|it| it.id == id)));
                }
            }
        }
        Providers(serving)
    }
}

impl Ctx {
    /// The provider of this kind with this id. Error if it is not linked in. See [`Registry::provider`].
    pub fn provider<K: ProviderKind + ?Sized>(&self, id: &str) -> Result<&'static K, Fault> {
        self.lose();
        let unknown = || Fault::invalid(format!("Unable to retrieve the {} provider with id: {id}", K::NAME));
        self.registry().provider(id).ok_or_else(unknown)
    }
}
