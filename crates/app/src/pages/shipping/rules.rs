//! Further rules of a shipping option, beside whether buyers may choose it: what modules of the shop say of a
//! cart, compared with values.

use atoll_kernel::Fault;
use atoll_pages::{Address, Field, Form, Markup, PageCall, hint, html};
use serde_json::{Value, json};

use super::{BY_BUYERS, FOR_RETURNS, Rule, removable};

/// How a rule compares: the word of the API, and as people say it.
const OPERATORS: [(&str, &str); 8] = [
    ("eq", "is"),
    ("ne", "is not"),
    ("in", "is one of"),
    ("nin", "is none of"),
    ("gt", "is more than"),
    ("gte", "is at least"),
    ("lt", "is less than"),
    ("lte", "is at most"),
];

impl Rule {
    /// Is it none of those that the settings of the option ask for?
    pub(super) fn is_further(&self) -> bool {
        self.attribute != BY_BUYERS && self.attribute != FOR_RETURNS
    }

    /// `weight is at most 30`.
    fn in_words(&self) -> String {
        let operator = OPERATORS.iter().find(|it| it.0 == self.operator).map_or(&*self.operator, |it| it.1);
        let text = |it: &Value| it.as_str().map_or_else(|| it.to_string(), str::to_owned);
        let value = match &self.value {
            Value::Array(values) => values.iter().map(text).collect::<Vec<_>>().join(", "),
            value => text(value),
        };
        format!("{} {operator} {value}", self.attribute)
    }
}

/// The further rules, each with the button that removes it, and the form of another one.
pub(super) fn shown(call: &PageCall, rules: &[Rule]) -> Markup {
    let fields = [
        Field::text("attribute", "What is compared").required(),
        Field::choice("operator", "How", OPERATORS),
        Field::text("value", "With what").required().hint("Several: separated by commas."),
    ];
    let goes = "The option is offered to more carts without the rule. Remove it?";
    let form = html! {
        (hint("Rules compare what a module of yours says of a cart. Without such a module, no rule holds, and the \
               option is not offered."))
        (call.form("add-rule", "Add rule", &fields))
    };
    let further = rules.iter().filter(|it| it.is_further());
    let further = further.map(|it| (format!("remove-rule {}", it.id), it.in_words()));
    html! {
        (removable(call, further, goes))
        (call.fold("Another rule", &["add-rule"], form))
    }
}

/// Adds the rule of the form.
pub(super) async fn add(call: &PageCall, form: &Form, option: Address) -> Result<(), Fault> {
    let (operator, text) = (form.text("operator"), form.text("value"));
    let value = match operator {
        "in" | "nin" => text.split(',').map(str::trim).filter(|it| !it.is_empty()).collect(),
        _ => Value::from(text),
    };
    let rule = json!({ "attribute": form.text("attribute"), "operator": operator, "value": value });
    batch(call, option, &json!({ "create": [rule] })).await
}

/// Removes the rule that the button names.
pub(super) async fn remove(call: &PageCall, form: &Form, option: Address) -> Result<(), Fault> {
    batch(call, option, &json!({ "delete": [form.of_id()] })).await
}

async fn batch(call: &PageCall, option: Address, body: &Value) -> Result<(), Fault> {
    call.api().post::<Value>(option.then("rules").then("batch"), body).await.map(drop)
}
