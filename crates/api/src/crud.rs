//! `crud!`: the common routes of a resource with their handlers (list, retrieve, create, update, delete).
//! Other routes of the resource are in a table of routes in its file.

/// Registers the common routes of a resource, each with its handler; `admin/product_tags.rs` has all clauses.
///
/// `page`, `find`, `create` and `update` name parameters, which a function may read before (`page LIST
/// through show_trees`); `create` and `update` also name a body and a flow, `delete` what the wire calls the
/// record, and a flow. Behind the auth, `with "flag"` says that they are of a feature that can be switched
/// off. Each clause may be left out. `called` is the noun of the texts in OpenAPI; the doc comment of a
/// clause is added to the text of its route.
macro_rules! crud {
    (
        of $RESOURCE:ident at $path:literal for $Auth:ident $(with $flag:literal)?;
        called $one:literal / $many:literal;
        not_found $not_found:literal;
        $($clauses:tt)*
    ) => {
        fn not_found(id: &str) -> String {
            format!($not_found, id)
        }
        $crate::crud::crud! { @ [$RESOURCE $path $Auth $one $many $($flag)?] $($clauses)* }
    };
    (@ $of:tt) => {};
    (
        @ [$RESOURCE:ident $path:literal $Auth:ident $one:literal $many:literal $($flag:literal)?]
        $(#[$($text:tt)*])* page $params:ident $(through $through:ident)?; $($rest:tt)*
    ) => {
        ::atoll_kernel::routes! {
            $(with $flag;)?
            of $RESOURCE;
            #[doc = concat!("Lists the ", $many, ".")]
            $(#[$($text)*])*
            Get $path ($Auth, $params) => index;
        }
        async fn index(call: ::atoll_kernel::http::Call) -> Result<::atoll_kernel::http::Reply, ::atoll_kernel::Fault> {
            $(let call = $through(call);)?
            $crate::reply::page(&$RESOURCE, &call, Vec::new())
        }
        $crate::crud::crud! { @ [$RESOURCE $path $Auth $one $many $($flag)?] $($rest)* }
    };
    (
        @ [$RESOURCE:ident $path:literal $Auth:ident $one:literal $many:literal $($flag:literal)?]
        $(#[$($text:tt)*])* find $params:ident $(through $through:ident)?; $($rest:tt)*
    ) => {
        ::atoll_kernel::routes! {
            $(with $flag;)?
            of $RESOURCE;
            #[doc = concat!("Shows ", $one, ".")]
            $(#[$($text)*])*
            Get $path + "/:id" ($Auth, $params) => retrieve;
        }
        async fn retrieve(call: ::atoll_kernel::http::Call) -> Result<::atoll_kernel::http::Reply, ::atoll_kernel::Fault> {
            $(let call = $through(call);)?
            $crate::reply::find(&$RESOURCE, &call, not_found)
        }
        $crate::crud::crud! { @ [$RESOURCE $path $Auth $one $many $($flag)?] $($rest)* }
    };
    (
        @ [$RESOURCE:ident $path:literal $Auth:ident $one:literal $many:literal $($flag:literal)?]
        $(#[$($text:tt)*])* create $params:ident, $body:ident by $flow:ident $(through $through:ident)?; $($rest:tt)*
    ) => {
        ::atoll_kernel::routes! {
            $(with $flag;)?
            of $RESOURCE;
            #[doc = concat!("Creates ", $one, ".")]
            $(#[$($text)*])*
            Post $path ($Auth, $params, $body) => create;
        }
        async fn create(call: ::atoll_kernel::http::Call) -> Result<::atoll_kernel::http::Reply, ::atoll_kernel::Fault> {
            $(let call = $through(call);)?
            $crate::reply::create_by(&$RESOURCE, call, &$flow).await
        }
        $crate::crud::crud! { @ [$RESOURCE $path $Auth $one $many $($flag)?] $($rest)* }
    };
    (
        @ [$RESOURCE:ident $path:literal $Auth:ident $one:literal $many:literal $($flag:literal)?]
        $(#[$($text:tt)*])* update $params:ident, $body:ident by $flow:ident $(through $through:ident)?; $($rest:tt)*
    ) => {
        ::atoll_kernel::routes! {
            $(with $flag;)?
            of $RESOURCE;
            #[doc = concat!("Updates ", $one, ". Fields that are absent stay as they are.")]
            $(#[$($text)*])*
            Post $path + "/:id" ($Auth, $params, $body) => update;
        }
        async fn update(call: ::atoll_kernel::http::Call) -> Result<::atoll_kernel::http::Reply, ::atoll_kernel::Fault> {
            $(let call = $through(call);)?
            $crate::reply::update_by(&$RESOURCE, call, &$flow).await
        }
        $crate::crud::crud! { @ [$RESOURCE $path $Auth $one $many $($flag)?] $($rest)* }
    };
    (
        @ [$RESOURCE:ident $path:literal $Auth:ident $one:literal $many:literal $($flag:literal)?]
        $(#[$($text:tt)*])* delete $object:literal by $flow:ident; $($rest:tt)*
    ) => {
        ::atoll_kernel::routes! {
            $(with $flag;)?
            of $RESOURCE;
            #[doc = concat!("Deletes ", $one, ".")]
            $(#[$($text)*])*
            Delete $path + "/:id" ($Auth, ::atoll_kernel::http::Params::NONE) => delete;
        }
        async fn delete(call: ::atoll_kernel::http::Call) -> Result<::atoll_kernel::http::Reply, ::atoll_kernel::Fault> {
            $crate::reply::remove_by(call, $object, &$flow).await
        }
        $crate::crud::crud! { @ [$RESOURCE $path $Auth $one $many $($flag)?] $($rest)* }
    };
}

pub(crate) use crud;
