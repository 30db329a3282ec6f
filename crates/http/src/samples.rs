//! `x-codeSamples` of OpenAPI: each operation as a call of the public JavaScript SDK, for readers to copy.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::Method;

/// The samples of an operation, with the example of its body where there is one. `sdk.client.fetch` takes
/// every path, also those of modules, for which the SDK has no method of their own.
pub(crate) fn of(method: Method, template: &str, body: Option<&Value>) -> Value {
    let path = match template.contains('{') {
        true => format!("`{}`", template.replace('{', "${")),
        false => format!("\"{template}\""),
    };
    let mut options = String::new();
    if method != Method::Get {
        let _ = writeln!(options, "  method: \"{method}\",");
    }
    if let Some(body) = body {
        let _ = writeln!(options, "  body: {},", format!("{body:#}").replace('\n', "\n  "));
    }
    let call = match options.is_empty() {
        true => format!("await sdk.client.fetch({path})"),
        false => format!("await sdk.client.fetch({path}, {{\n{options}}})"),
    };
    json!([{ "lang": "javascript", "label": "JS SDK", "source": call }])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(method: Method, template: &str, body: Option<Value>, expected: &str) {
        assert_eq!(of(method, template, body.as_ref())[0]["source"], expected);
    }

    #[test]
    fn operations_are_calls_of_the_sdk() {
        check(Method::Get, "/store/products", None, r#"await sdk.client.fetch("/store/products")"#);
        check(
            Method::Delete,
            "/admin/products/{id}",
            None,
            "await sdk.client.fetch(`/admin/products/${id}`, {\n  method: \"DELETE\",\n})",
        );
        check(
            Method::Post,
            "/store/carts",
            Some(json!({ "region_id": "reg_1" })),
            "await sdk.client.fetch(\"/store/carts\", {\n  method: \"POST\",\n  body: {\n    \"region_id\": \"reg_1\"\n  },\n})",
        );
    }
}
