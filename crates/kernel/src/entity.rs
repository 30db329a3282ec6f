//! The macro `entity!`: defines the record of an entity, its description for the graph, and its patch.

/// Defines an entity.
///
/// ```
/// use atoll_kernel::entity;
///
/// entity! {
///     /// A place where the catalogue is sold.
///     pub struct SalesChannel = "sales_channel" / "sales_channels", "sc" {
///         /// Shown to admins.
///         pub name: String,
///         /// A channel that is disabled sells nothing.
///         pub is_disabled: bool = false,
///     }
///     search [name]
///     patch SalesChannelPatch
/// }
/// ```
///
/// The doc comments of the record and its fields are their texts in OpenAPI.
/// The record also gets `id`, `created_at`, `updated_at` and `deleted_at`. Clauses, each optional, in this
/// order:
///
/// - `key F`: the primary key on the wire, where it is not `id`;
/// - `search [F…]`: the fields that `q` searches;
/// - `hidden [F…]`: stored, never shown;
/// - `embeds [many F: Entity, one F: Entity]`: fields that hold records of their own;
/// - `computed [F: Type, …] by f`: fields that `f(&record, shown)` writes (`ComputedFields::field`) when one
///   of them is asked for, with their types and doc comments for OpenAPI. A constant list of names may stand
///   for the brackets, with a function of a name that says the same: `computed NAMES by f as g`;
/// - `on_request [F…]`: those of them that a star does not show, but for that of a record which embeds this
///   one and shows the same field; embedded records that are named here are shown with them;
/// - `history [[Step…]…]`: what changed from each version of the record to the next; a record has version 1
///   without it;
/// - `patch Name`: a record of updates, in which absent fields stay as they are.
#[macro_export]
macro_rules! entity {
    (
        $(#[$($meta:tt)*])*
        pub struct $Name:ident = $entity:literal / $plural:literal, $prefix:literal {
            $( $(#[$($field_meta:tt)*])* pub $field:ident: $Field:ty $(= $default:expr)?, )*
        }
        $(key $key:ident)?
        $(search [$($search:ident),* $(,)?])?
        $(hidden [$($hidden:ident),* $(,)?])?
        $(embeds [$($arity:ident $embed:ident: $Embed:ty),* $(,)?])?
        $(computed $computed:tt by $compute:ident $(as $describe:ident)?)?
        $(on_request $on_request:tt)?
        $(history [$($steps:expr),* $(,)?])?
        $(patch $Patch:ident)?
    ) => {
        $(#[$($meta)*])*
        #[derive(Clone, Debug, PartialEq, $crate::serde::Serialize, $crate::serde::Deserialize)]
        #[serde(crate = "::atoll_kernel::serde", default)]
        pub struct $Name {
            /// Primary key.
            pub id: $crate::Id<$Name>,
            $( $(#[$($field_meta)*])* pub $field: $Field, )*
            /// Time of creation.
            pub created_at: $crate::Timestamp,
            /// Time of the last change.
            pub updated_at: $crate::Timestamp,
            /// Time of the soft deletion; none while the record is live.
            pub deleted_at: Option<$crate::Timestamp>,
        }

        // The fields that clauses name are there.
        const _: fn(&$Name) = |_it| {
            $( let _ = &_it.$key; )?
            $($( let _ = &_it.$search; )*)?
            $($( let _ = &_it.$hidden; )*)?
            $($( let _ = &_it.$embed; )*)?
        };

        impl Default for $Name {
            fn default() -> Self {
                $Name {
                    id: Default::default(),
                    $( $field: $crate::or_default!($($default)?), )*
                    created_at: Default::default(),
                    updated_at: Default::default(),
                    deleted_at: None,
                }
            }
        }

        impl $crate::Kind for $Name {
            const PREFIX: &'static str = $prefix;
        }

        /// As a record in another one.
        impl $crate::data::FieldValue for $Name {
            const KIND: $crate::data::FieldKind = $crate::data::FieldKind::Fields {
                names: <Self as $crate::data::Entity>::DEF.fields,
                kinds: <Self as $crate::data::Entity>::DEF.kinds,
            };
        }

        impl $crate::data::Record for $Name {
            fn def(&self) -> &'static $crate::data::EntityDef {
                <Self as $crate::data::Entity>::DEF
            }

            fn key(&self) -> &str {
                &self.id
            }

            fn scalar(&self, field: &str) -> $crate::data::Scalar<'_> {
                $( if field == $crate::data::field_name(stringify!($field)) {
                    return $crate::data::FieldValue::scalar(&self.$field);
                } )*
                match field {
                    "id" => $crate::data::FieldValue::scalar(&self.id),
                    "created_at" => $crate::data::FieldValue::scalar(&self.created_at),
                    "updated_at" => $crate::data::FieldValue::scalar(&self.updated_at),
                    "deleted_at" => $crate::data::FieldValue::scalar(&self.deleted_at),
                    _ => $crate::data::Scalar::Null,
                }
            }

            fn write(&self, mask: &[bool], out: &mut $crate::data::JsonObject<'_>) {
                let mut mask = mask.iter().copied();
                let mut wanted = move || mask.next().unwrap_or(false);
                if wanted() {
                    out.field("id", &self.id);
                }
                $( if wanted() {
                    out.field($crate::data::field_name(stringify!($field)), &self.$field);
                } )*
                if wanted() {
                    out.field("created_at", &self.created_at);
                }
                if wanted() {
                    out.field("updated_at", &self.updated_at);
                }
                if wanted() {
                    out.field("deleted_at", &self.deleted_at);
                }
            }

            fn compute(&self, _shown: &mut $crate::data::ComputedFields<'_>) {
                $( $compute(self, _shown); )?
            }

            fn embedded(&self, embed: &str) -> Vec<$crate::data::Node> {
                match embed {
                    $($( stringify!($embed) => {
                        self.$embed.iter().map(|it| ::std::sync::Arc::new(it.clone()) as $crate::data::Node).collect()
                    } )*)?
                    _ => Vec::new(),
                }
            }
        }

        impl $crate::data::Entity for $Name {
            const DEF: &'static $crate::data::EntityDef = &$crate::data::EntityDef {
                name: $entity,
                plural: $plural,
                prefix: $prefix,
                label: stringify!($Name),
                text: $crate::doc_text!($(#[$($meta)*])*),
                key: $crate::or_id!($($key)?),
                fields: &["id", $( $crate::data::field_name(stringify!($field)), )* "created_at", "updated_at", "deleted_at"],
                kinds: &[
                    <$crate::Id<Self> as $crate::data::FieldValue>::KIND,
                    $( <$Field as $crate::data::FieldValue>::KIND, )*
                    $crate::data::FieldKind::Time,
                    $crate::data::FieldKind::Time,
                    $crate::data::FieldKind::OrNull(&$crate::data::FieldKind::Time),
                ],
                texts: &[
                    "The id.",
                    $( $crate::doc_text!($(#[$($field_meta)*])*), )*
                    $crate::CREATED_AT_TEXT,
                    $crate::UPDATED_AT_TEXT,
                    $crate::DELETED_AT_TEXT,
                ],
                hidden: &[$($( stringify!($hidden) ),*)?],
                search: &[$($( stringify!($search) ),*)?],
                embeds: &[$($( $crate::data::Embed {
                    name: stringify!($embed),
                    many: $crate::is_many!($arity),
                    entity: || <$Embed as $crate::data::Entity>::DEF,
                } ),*)?],
                computed: $crate::computed_names!($($computed)?),
                computed_field: $crate::computed_field!($($computed $($describe)?)?),
                on_request: $crate::names!($($on_request)?),
                deleted: concat!($entity, ".deleted"),
                history: &[$($( &$steps ),*)?],
            };

            fn id(&self) -> &$crate::Id<Self> {
                &self.id
            }

            fn init(&mut self, id: $crate::Id<Self>, now: $crate::Timestamp) {
                self.id = id;
                self.created_at = now;
                self.updated_at = now;
                self.deleted_at = None;
            }

            fn assign(&mut self, other: Self) {
                $( self.$field = other.$field; )*
            }

            fn touch(&mut self, now: $crate::Timestamp) {
                self.updated_at = now;
            }

            fn release(&mut self, field: &str, id: &str) -> bool {
                $( if field == $crate::data::field_name(stringify!($field)) {
                    return $crate::data::FieldValue::release(&mut self.$field, id);
                } )*
                false
            }

            fn refer(&mut self, field: &str, id: &str) -> bool {
                $( if field == $crate::data::field_name(stringify!($field)) {
                    return $crate::data::FieldValue::refer(&mut self.$field, id);
                } )*
                false
            }

            fn set_deleted_at(&mut self, at: Option<$crate::Timestamp>) {
                self.deleted_at = at;
            }
        }

        $crate::entity_patch! { [$($Patch)?] $Name $( $(#[$($field_meta)*])* $field: $Field, )* }
    };
    // The record is right, its clauses are not.
    (
        $(#[$($meta:tt)*])*
        pub struct $Name:ident = $entity:literal / $plural:literal, $prefix:literal {
            $( $(#[$($field_meta:tt)*])* pub $field:ident: $Field:ty $(= $default:expr)?, )*
        }
        $($clauses:tt)*
    ) => {
        compile_error!(concat!(
            "the clauses of the entity `", stringify!($Name), "` cannot be read: `", stringify!($($clauses)*),
            "`\nEach may be left out, and they stand in this order:\n\
             \x20   key field\n\
             \x20   search [field, …]\n\
             \x20   hidden [field, …]\n\
             \x20   embeds [many field: Entity, one field: Entity, …]\n\
             \x20   computed [field, …] by function\n\
             \x20   on_request [field, …]\n\
             \x20   history [[Step, …], …]\n\
             \x20   patch Name",
        ));
    };
    // The head is right, a field is not.
    (
        $(#[$($meta:tt)*])*
        pub struct $Name:ident = $entity:literal / $plural:literal, $prefix:literal { $($fields:tt)* }
        $($clauses:tt)*
    ) => {
        compile_error!(concat!(
            "a field of the entity `", stringify!($Name), "` cannot be read: `", stringify!($($fields)*),
            "`\nA field is written, with a comma at its end,\n\
             \x20   /// What it is.\n\
             \x20   pub name: Type,\n\
             \x20   pub name: Type = default,",
        ));
    };
    ($($wrong:tt)*) => {
        compile_error!(
            "an entity is written, with its name, its plural and the prefix of its ids,\n\
             \x20   /// What it is.\n\
             \x20   pub struct Review = \"review\" / \"reviews\", \"rev\" {\n\
             \x20       /// Who says it.\n\
             \x20       pub author: String,\n\
             \x20   }\n\
             \x20   search [author]"
        );
    };
}

/// The texts, in OpenAPI, of the fields that every record has.
#[doc(hidden)]
pub const CREATED_AT_TEXT: &str = "Time of creation.";
#[doc(hidden)]
pub const UPDATED_AT_TEXT: &str = "Time of the last change.";
#[doc(hidden)]
pub const DELETED_AT_TEXT: &str = "Time of the soft deletion; null while the record is live.";

#[doc(hidden)]
#[macro_export]
macro_rules! entity_patch {
    ([] $($rest:tt)*) => {};
    ([$Patch:ident] $Name:ident $( $(#[$field_meta:meta])* $field:ident: $Field:ty, )*) => {
        #[doc = concat!("An update of a `", stringify!($Name), "`: what is `None` stays as it is.")]
        #[derive(Clone, Debug, Default, $crate::serde::Deserialize)]
        #[serde(crate = "::atoll_kernel::serde", default)]
        pub struct $Patch {
            $(
                $(#[$field_meta])*
                #[serde(deserialize_with = "::atoll_kernel::data::present")]
                pub $field: Option<$Field>,
            )*
        }

        impl $crate::data::Patch<$Name> for $Patch {
            fn apply(self, record: &mut $Name) {
                $( if let Some(value) = self.$field {
                    $crate::data::FieldValue::update(&mut record.$field, value);
                } )*
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! or_default {
    () => {
        Default::default()
    };
    ($default:expr) => {
        $default
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! names {
    () => {
        &[]
    };
    ([$($name:ident),* $(,)?]) => {
        &[$( stringify!($name) ),*]
    };
    ($NAMES:ident) => {
        $NAMES
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! computed_names {
    () => {
        &[]
    };
    ([$( $(#[$($meta:tt)*])* $name:ident: $Type:ty ),* $(,)?]) => {
        &[$( stringify!($name) ),*]
    };
    ($NAMES:ident) => {
        $NAMES
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! computed_field {
    () => {
        |_| ($crate::data::FieldKind::Any, "")
    };
    ([$( $(#[$($meta:tt)*])* $name:ident: $Type:ty ),* $(,)?]) => {
        |name| {
            $( if name == stringify!($name) {
                return (<$Type as $crate::data::FieldValue>::KIND, $crate::doc_text!($(#[$($meta)*])*));
            } )*
            ($crate::data::FieldKind::Any, "")
        }
    };
    ($NAMES:ident $describe:ident) => {
        $describe
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! or_id {
    () => {
        "id"
    };
    ($key:ident) => {
        stringify!($key)
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! is_many {
    (many) => {
        true
    };
    (one) => {
        false
    };
}

/// Defines an enumeration whose values are strings on the wire and in the store.
///
/// ```
/// use atoll_kernel::words;
///
/// words! {
///     /// State of a product.
///     pub enum ProductStatus {
///         /// Not for sale yet.
///         #[default]
///         Draft = "draft",
///         /// For sale.
///         Published = "published",
///     }
/// }
/// ```
#[macro_export]
macro_rules! words {
    ($(#[$meta:meta])* pub enum $Name:ident { $($words:tt)* }) => {
        $crate::stored! {
            $(#[$meta])*
            #[derive(
                Clone, Copy, Debug, Default, PartialEq, Eq, $crate::serde::Serialize, $crate::serde::Deserialize,
            )]
            #[serde(crate = "::atoll_kernel::serde")]
            pub enum $Name { $($words)* }
        }
    };
    ($($wrong:tt)*) => {
        compile_error!(
            "words are written\n\
             \x20   /// What they say.\n\
             \x20   pub enum ProductStatus { Draft = \"draft\", Published = \"published\" }"
        );
    };
}
