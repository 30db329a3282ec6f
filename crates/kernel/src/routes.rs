//! `routes!`: the table of routes of a file, and what is said of one that is written wrongly.

/// Registers routes: method, path (a literal, or several with `+` between), auth, parameters, body (with
/// `up_to` more bytes than the default limit, if it needs them), handler. After `with "flag";` come the
/// routes of a feature flag. After `of RESOURCE;` the answers are of that resource: reading answers with a
/// page or a record, writing with a record, deleting with a "deleted" answer; a line with another answer
/// names it behind its handler, as `=> batch: Answer::Batch(&RESOURCE);`. After `raw;` come routes that get
/// the bytes of the body as they were sent, of any content and up to a limit; for webhooks, which have no
/// other auth than their signature ([`check_signature`](crate::http::check_signature)). After `files "name";`
/// come routes that take a form with files under that name, up to a limit:
/// [`Call::files`](atoll_http::Call::files).
///
/// The doc comment of a line is its text in OpenAPI: its first sentence is the summary. A route without one
/// is a problem.
///
/// ```
/// use atoll_kernel::{
///     Fault,
///     http::{Answer, Body, Call, Params, Part, Reply, Type, required},
///     routes,
///     serde_json::json,
/// };
///
/// routes! {
///     /// Says hello.
///     Get "/admin/greeting" (Admin, Params::NONE) => greet: GREETING;
///     /// Changes the greeting. It is forgotten when the process ends.
///     Post "/admin/greeting" (Admin, Params::NONE, CHANGE) => greet: GREETING;
/// }
///
/// const CHANGE: Body = &[&[required("text", Type::Text)]];
/// const GREETING: Answer = Answer::Object(&[Part::value("text", Type::Text, "The greeting.")]);
///
/// async fn greet(call: Call) -> Result<Reply, Fault> {
///     Ok(Reply::json(&json!({ "text": "Hello" })))
/// }
/// ```
#[macro_export]
macro_rules! routes {
    (with $flag:literal; of $Shown:expr; $($rest:tt)*) => {
        $crate::resources! { $Shown }
        $crate::routes! { @ Some($flag), Some(&$Shown as &dyn $crate::http::Envelope), $($rest)* }
    };
    (with $flag:literal; $($rest:tt)*) => {
        $crate::routes! { @ Some($flag), None, $($rest)* }
    };
    (of $Shown:expr; $($rest:tt)*) => {
        $crate::resources! { $Shown }
        $crate::routes! { @ None, Some(&$Shown as &dyn $crate::http::Envelope), $($rest)* }
    };
    (raw; $($rest:tt)*) => {
        $crate::routes! { ! $crate::http::RequestBody::Raw, $($rest)* }
    };
    (files $field:literal; $($rest:tt)*) => {
        $crate::routes! { ! $crate::http::RequestBody::Files($field), $($rest)* }
    };
    (
        ! $body:expr,
        $(
            $(#[$($meta:tt)*])*
            $Method:ident $path:literal $(+ $more:literal)*
            ($Auth:ident, $params:expr, up_to $bytes:expr) => $handler:path $(: $answer:expr)?;
        )*
    ) => {
        $(
            $crate::routes! { # None, None, $Method concat!($path $(, $more)*), {$(#[$($meta)*])*} $Auth, $params,
                $body, Some($bytes), $crate::or_none!($($answer)?), $handler }
        )*
    };
    (
        @ $flag:expr, $shown:expr,
        $(
            $(#[$($meta:tt)*])*
            $Method:ident $path:literal $(+ $more:literal)*
            ($Auth:ident, $params:expr $(, $body:expr $(, up_to $bytes:expr)?)?) => $handler:path
            $(: $answer:expr)?;
        )*
    ) => {
        $(
            $crate::routes! {
                # $flag, $shown, $Method concat!($path $(, $more)*), {$(#[$($meta)*])*} $Auth, $params,
                $crate::http::RequestBody::of($crate::or_none!($($body)?)), $crate::or_none!($($($bytes)?)?),
                $crate::or_none!($($answer)?), $handler
            }
        )*
    };
    (
        # $flag:expr, $shown:expr, $Method:ident $path:expr, {$($text:tt)*} $Auth:ident, $params:expr,
        $body:expr, $bytes:expr, $answer:expr, $handler:path
    ) => {
        const _: () = {
            static ROUTE: $crate::http::Route = $crate::http::Route {
                method: $crate::http::Method::$Method,
                path: $path,
                text: $crate::doc_text!($($text)*),
                auth: $crate::http::Auth::$Auth,
                params: &$params,
                body: $body,
                body_bytes_max: $bytes,
                answer: $crate::http::Answer::of(
                    $answer, $shown, $crate::http::Method::$Method, &$params,
                ),
                flag: $flag,
                handler: |call| Box::pin($handler(call)),
                source: $crate::source!(),
            };

            $crate::register! { $crate::http::Route: &ROUTE }
        };
    };
    (raw; $($lines:tt)*) => {
        compile_error!(
            "a table of routes with raw bodies is written\n\
             \x20   raw;\n\
             \x20   /// What it does.\n\
             \x20   Post \"/hooks/bank\" (Public, PARAMS, up_to BYTES) => function;"
        );
    };
    (@ $flag:expr, $shown:expr, $($lines:tt)*) => {
        $crate::wrong_route! { $($lines)* }
    };
    ($($routes:tt)*) => {
        $crate::routes! { @ None, None, $($routes)* }
    };
}

/// Says which route of a table cannot be read, and how one is written.
#[doc(hidden)]
#[macro_export]
macro_rules! wrong_route {
    // This one is right: go on to the next.
    (
        $(#[$($meta:tt)*])*
        $Method:ident $path:literal $(+ $more:literal)*
        ($Auth:ident, $params:expr $(, $body:expr $(, up_to $bytes:expr)?)?) => $handler:path
        $(: $answer:expr)?;
        $($rest:tt)*
    ) => {
        $crate::wrong_route! { $($rest)* }
    };
    (
        $(#[$($meta:tt)*])* $Method:ident $path:literal $(+ $more:literal)* ($($inside:tt)*) => $handler:path
        $(: $answer:expr)?; $($rest:tt)*
    ) => {
        compile_error!(concat!(
            "route `", stringify!($Method), " ", $path $(, $more)*, "` does not say who may call it, \
             or which parameters it takes: `(", stringify!($($inside)*), ")`\n\
             It is written, with a body if it takes one,\n\
             \x20   (Auth, PARAMS)\n\
             \x20   (Auth, PARAMS, BODY)\n\
             \x20   (Auth, PARAMS, BODY, up_to BYTES)\n\
             where Auth is a variant of `atoll_kernel::http::Auth`: Admin, Store, Public, …",
        ));
    };
    ($(#[$($meta:tt)*])* $Method:ident $path:literal $(+ $more:literal)* => $($rest:tt)*) => {
        compile_error!(concat!(
            "route `", stringify!($Method), " ", $path $(, $more)*, "` does not say who may call it\n\
             Between its path and the arrow comes, with a body if it takes one,\n\
             \x20   (Auth, PARAMS)\n\
             \x20   (Auth, PARAMS, BODY)\n\
             where Auth is a variant of `atoll_kernel::http::Auth`: Admin, Store, Public, …",
        ));
    };
    (
        $(#[$($meta:tt)*])* $Method:ident $path:literal $(+ $more:literal)* ($($inside:tt)*) $($rest:tt)*
    ) => {
        compile_error!(concat!(
            "route `", stringify!($Method), " ", $path $(, $more)*, "` cannot be read behind its \
             parentheses\n\
             There comes the name of an async function, and what it answers where that is not the default:\n\
             \x20   => function;\n\
             \x20   => function: Answer::Batch(&RESOURCE);",
        ));
    };
    ($($wrong:tt)*) => {
        compile_error!(
            "a table of routes is written, with `with \"flag\";` and `of RESOURCE;` at its beginning where \
             they apply, in this order,\n\
             \x20   of RESOURCE;\n\
             \x20   /// What it does.\n\
             \x20   Get \"/admin/restocks\" (Admin, LIST) => list;\n\
             \x20   /// What it does.\n\
             \x20   Post \"/admin/restocks/:id\" (Admin, FIELDS, UPDATE) => update;"
        );
    };
}
