//! Admin routes of the rules of promotions: rules of a promotion, batches of them, and the attributes and
//! values that a dashboard offers for new ones.

use atoll_flows::promotion::{BATCH_PROMOTION_RULES, RuleChanges};
use atoll_kernel::{
    Fault, Read, Registry, StoreError,
    data::{EntityDef, Scalar, View},
    http::{Answer, Body, Call, Params, Part, Reply, Resource, Type, optional, required},
    part_of,
    query::{Env, Filter, ListQuery, SortBy, list},
    resources, routes,
    serde_json::{Map, Value, json},
};
use atoll_promotion::{
    MethodType, PROMOTIONS, Promotion, PromotionRule, PromotionType, RuleBatch, RuleKind, RuleOperator,
    RulesDone, find_promotion,
};

use crate::{
    body::{Batch, read, take_id},
    reply::{ids, shown},
    tables::{BATCH_DELETE, ONE, any, batch_create, batch_update, text},
};

part_of! { "promotion" }

routes! {
    /// Lists the attributes that new rules of promotions may compare.
    Get "/admin/promotions/rule-attribute-options/:rule_type" (Admin, ATTRIBUTES) => attributes: ATTRIBUTES_SHOWN;
    /// Lists the values that a new rule on an attribute may have.
    Get "/admin/promotions/rule-value-options/:rule_type/:rule_attribute_id" (Admin, VALUES) => values: VALUES_SHOWN;
    /// Lists the rules of a promotion of one kind (`rules`, `target-rules` or `buy-rules`), with the labels
    /// of attributes and values.
    Get "/admin/promotions/:id/:rule_type" (Admin, OF_KIND) => rules: RULES_SHOWN;
    /// Creates, updates and deletes rules for carts, all or none.
    Post "/admin/promotions/:id/rules/batch" (Admin, ONE, BATCH) => batch_rules: Answer::Batch(&RULE);
    /// Creates, updates and deletes rules for what is discounted, all or none.
    Post "/admin/promotions/:id/target-rules/batch" (Admin, ONE, BATCH) => batch_target_rules: Answer::Batch(&RULE);
    /// Creates, updates and deletes rules for what must be bought, all or none.
    Post "/admin/promotions/:id/buy-rules/batch" (Admin, ONE, BATCH) => batch_buy_rules: Answer::Batch(&RULE);
}

resources! { RULE }

static RULE: Resource = Resource {
    entity: "promotion_rule",
    one: "promotion_rule",
    many: "promotion_rules",
    fields: &["id", "description", "attribute", "operator", "values.value"],
    store_fields: None,
    renamed: &[],
};

const ATTRIBUTES: Params = Params {
    own: &[
        any("promotion_type").about("Of a promotion of this type."),
        any("application_method_type").about("Of a promotion whose method has this type."),
        any("application_method_target_type").about("Of a promotion that discounts this."),
    ],
    ..Params::NONE
};
const OF_KIND: Params = ATTRIBUTES;
const VALUES: Params = Params {
    own: &[
        any("value").about("Only these values."),
        any("promotion_type").about("Of a promotion of this type."),
        any("application_method_type").about("Of a promotion whose method has this type."),
        any("application_method_target_type").about("Of a promotion that discounts this."),
    ],
    limit: Some(100),
    strict: true,
};
const RECORDS: Type = Type::List(&Type::Record);
const ATTRIBUTES_SHOWN: Answer = Answer::Object(&[Part::value("attributes", RECORDS, "The attributes.")]);
const VALUES_SHOWN: Answer = Answer::Object(&[
    Part::value("values", RECORDS, "The values, each with a label."),
    Part::value("count", Type::Number, "How many there are on all pages."),
    Part::value("offset", Type::Number, "How many were skipped."),
    Part::value("limit", Type::Number, "The size of a page."),
]);
const RULES_SHOWN: Answer = Answer::Object(&[Part::value("rules", RECORDS, "The rules.")]);

/// A new rule.
pub(crate) const NEW_RULE: Body = &[&[
    required("operator", Type::Words(RuleOperator::WORDS)),
    text("description"),
    required("attribute", Type::Text),
    required("values", TEXTS),
]];
const RULE_CHANGES: Body = &[&[
    required("id", Type::Text),
    optional("operator", Type::Words(RuleOperator::WORDS)),
    text("description"),
    optional("attribute", Type::Text),
    required("values", TEXTS),
]];
const TEXTS: Type = Type::OneOf(&[Type::Text, Type::List(&Type::Text)]);
const BATCH: Body = &[&[
    batch_create(Type::List(&Type::Strict(NEW_RULE))),
    batch_update(Type::List(&Type::Strict(RULE_CHANGES))),
    BATCH_DELETE,
]];

/// An attribute that a dashboard offers for rules, and the records that are its values.
struct Attribute {
    id: &'static str,
    /// Its path from the cart.
    path: &'static str,
    label: &'static str,
    /// The entity whose keys are the values.
    entity: &'static str,
    /// The field of it that is shown.
    shows: &'static str,
}

const fn attribute(
    id: &'static str,
    path: &'static str,
    label: &'static str,
    entity: &'static str,
    shows: &'static str,
) -> Attribute {
    Attribute { id, path, label, entity, shows }
}

const OF_CART: &[Attribute] = &[
    attribute("customer_group", "customer.groups.id", "Customer Group", "customer_group", "name"),
    attribute("region", "region.id", "Region", "region", "name"),
    attribute("country", "shipping_address.country_code", "Country", "country", "display_name"),
    attribute("sales_channel", "sales_channel_id", "Sales Channel", "sales_channel", "name"),
];
const CURRENCY: Attribute = attribute("currency_code", "currency_code", "Currency Code", "currency", "name");
const OF_ITEMS: &[Attribute] = &[
    attribute("product", "items.product.id", "Product", "product", "title"),
    attribute(
        "product_category", "items.product.categories.id", "Product Category", "product_category", "name",
    ),
    attribute(
        "product_collection", "items.product.collection_id", "Product Collection", "product_collection",
        "title",
    ),
    attribute("product_type", "items.product.type_id", "Product Type", "product_type", "value"),
    attribute("product_tag", "items.product.tags.id", "Product Tag", "product_tag", "value"),
];
const OF_SHIPPING: &[Attribute] = &[attribute(
    "shipping_option_type",
    "shipping_methods.shipping_option.shipping_option_type_id",
    "Shipping Option Type",
    "shipping_option_type",
    "label",
)];

/// Numbers of the method that dashboards show like rules: id and label.
const BUY_QUANTITY: (&str, &str) = ("buy_rules_min_quantity", "Minimum quantity of items");
const GET_QUANTITY: (&str, &str) = ("apply_to_quantity", "Quantity of items promotion will apply to");

/// The operators that dashboards offer, each with its label.
const OPERATORS: [(RuleOperator, &str); 3] =
    [(RuleOperator::In, "In"), (RuleOperator::Eq, "Equals"), (RuleOperator::Ne, "Not In")];

fn operators(offered: &[(RuleOperator, &str)]) -> Value {
    let shown = |(operator, label): &(RuleOperator, &str)| json!({ "id": operator.as_str(), "value": operator.as_str(), "label": label });
    offered.iter().map(shown).collect()
}

fn only_equals() -> Value {
    operators(&OPERATORS[1..2])
}

/// The kind of rules in the path. Error: 400.
fn kind_of(call: &Call) -> Result<RuleKind, Fault> {
    match call.path("rule_type") {
        "rules" => Ok(RuleKind::Rules),
        "target-rules" => Ok(RuleKind::Target),
        "buy-rules" => Ok(RuleKind::Buy),
        other => Err(Fault::invalid(format!("Invalid param rule_type ({other})"))),
    }
}

impl Attribute {
    fn is_offered_as(&self) -> Map<String, Value> {
        let shown = json!({
            "id": self.id,
            "value": self.path,
            "label": self.label,
            "required": false,
            "field_type": "multiselect",
            "operators": operators(&OPERATORS),
        });
        object(shown)
    }

    /// The entity, unless its module is switched off.
    fn def(&self) -> Option<&'static EntityDef> {
        let graph = Registry::graph();
        graph.entity(self.entity).filter(|it| graph.has_table(it.name))
    }

    /// A value with its label: the value itself where there is no record any more.
    fn labelled(&self, view: &dyn Read, value: &str) -> Result<Value, StoreError> {
        let node = match self.def() {
            Some(def) => Registry::graph().table(def.name).node(view, value)?,
            None => None,
        };
        let label = match node.as_ref().map(|it| it.scalar(self.shows)) {
            Some(Scalar::Text(label)) => label.to_owned(),
            _ => value.to_owned(),
        };
        Ok(json!({ "value": value, "label": label }))
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// The attributes of records for rules of a kind.
fn attributes_of(kind: RuleKind, is_on_shipping: bool) -> &'static [Attribute] {
    match kind {
        RuleKind::Rules => OF_CART,
        RuleKind::Target if is_on_shipping => OF_SHIPPING,
        RuleKind::Target | RuleKind::Buy => OF_ITEMS,
    }
}

async fn attributes(mut call: Call) -> Result<Reply, Fault> {
    let kind = kind_of(&call)?;
    let is_buyget =
        call.params.take_one("promotion_type")?.as_deref() == Some(PromotionType::Buyget.as_str());
    let is_fixed =
        call.params.take_one("application_method_type")?.as_deref() == Some(MethodType::Fixed.as_str());
    let is_on_shipping = is_on_shipping(&mut call)?;
    let mut shown: Vec<Value> =
        attributes_of(kind, is_on_shipping).iter().map(|it| it.is_offered_as().into()).collect();
    match kind {
        RuleKind::Rules => shown.push(json!({
            "id": CURRENCY.id,
            "value": CURRENCY.path,
            "label": CURRENCY.label,
            "field_type": "select",
            "required": is_fixed,
            "disguised": true,
            "hydrate": true,
            "operators": only_equals(),
        })),
        RuleKind::Target | RuleKind::Buy if is_buyget => {
            let (id, label) = if kind == RuleKind::Buy { BUY_QUANTITY } else { GET_QUANTITY };
            shown.push(json!({
                "id": id,
                "value": id,
                "label": label,
                "field_type": "number",
                "required": true,
                "disguised": true,
                "operators": only_equals(),
            }));
        }
        RuleKind::Target | RuleKind::Buy => {}
    }
    Reply::object(|envelope| {
        envelope.field("attributes", &shown);
        Ok(())
    })
}

fn is_on_shipping(call: &mut Call) -> Result<bool, Fault> {
    let target = call.params.take_one("application_method_target_type")?;
    Ok(target.as_deref() == Some("shipping_methods"))
}

async fn values(mut call: Call) -> Result<Reply, Fault> {
    let kind = kind_of(&call)?;
    for name in ["promotion_type", "application_method_type"] {
        call.params.take(name);
    }
    let id = call.path("rule_attribute_id").to_owned();
    let of_kind = attributes_of(kind, is_on_shipping(&mut call)?);
    let currency = Some(&CURRENCY).filter(|it| kind == RuleKind::Rules && it.id == id);
    let Some(attribute) = of_kind.iter().find(|it| it.id == id).or(currency) else {
        return Err(Fault::invalid(format!("Invalid rule attribute - {id}")));
    };
    let (offset, limit) = (call.params.offset, call.params.limit);
    let (mut shown, mut count) = (Vec::new(), 0);
    if let Some(def) = attribute.def() {
        let only = call.params.take("value").map(|values| Filter::is_in(def.key, values));
        let query = ListQuery {
            filters: only.into_iter().collect(),
            q: call.params.q.take(),
            sort: call.params.order.as_deref().map(SortBy::parse),
            offset,
            limit,
            ..ListQuery::default()
        };
        let env = Env { view: &call.view, graph: Registry::graph(), context: call.context() };
        let page = list(&env, def, query)?;
        count = page.count;
        for node in &page.nodes {
            let label = node.scalar(attribute.shows);
            let label = if let Scalar::Text(label) = label { label } else { node.key() };
            shown.push(json!({ "label": label, "value": node.key() }));
        }
    }
    Reply::object(|envelope| {
        envelope.field("values", &shown);
        envelope.field("count", &count);
        envelope.field("offset", &offset);
        envelope.field("limit", &limit);
        Ok(())
    })
}

async fn rules(call: Call) -> Result<Reply, Fault> {
    let kind = kind_of(&call)?;
    let name = call.path("id");
    let Some(promotion) = find_promotion(&call.view, name)? else {
        return Err(Fault::not_found(format!("Promotion with id or code: {name} was not found")));
    };
    let mut shown = disguised(&call.view, &promotion, kind)?;
    for rule in promotion.rules_of(kind) {
        shown.push(described(&call.view, rule, kind)?.into());
    }
    Reply::object(|envelope| {
        envelope.field("rules", &shown);
        Ok(())
    })
}

/// Fields of the method that dashboards show as rules: the currency, and the quantities.
fn disguised(view: &dyn Read, promotion: &Promotion, kind: RuleKind) -> Result<Vec<Value>, StoreError> {
    let Some(method) = &promotion.application_method else { return Ok(Vec::new()) };
    let row = |id: &str, label: &str, field_type: &str, values: Value| {
        let mut row = object(json!({
            "label": label,
            "field_type": field_type,
            "required": true,
            "disguised": true,
            "operators": only_equals(),
            "attribute": id,
            "attribute_label": label,
            "operator": RuleOperator::Eq.as_str(),
            "operator_label": OPERATORS[1].1,
            "values": values,
        }));
        if field_type == "select" {
            row.insert("hydrate".into(), true.into());
        }
        row
    };
    let quantity = |(id, label): (&str, &str), value| row(id, label, "number", json!(value));
    let row = match kind {
        RuleKind::Rules => match &method.currency_code {
            Some(code) => {
                Some(row(CURRENCY.id, CURRENCY.label, "select", json!([CURRENCY.labelled(view, code)?])))
            }
            None => None,
        },
        RuleKind::Target => method.apply_to_quantity.map(|it| quantity(GET_QUANTITY, it)),
        RuleKind::Buy => method.buy_rules_min_quantity.map(|it| quantity(BUY_QUANTITY, it)),
    };
    Ok(row.into_iter().map(Value::Object).collect())
}

/// A rule with the labels of its attribute and values.
fn described(
    view: &dyn Read,
    rule: &PromotionRule,
    kind: RuleKind,
) -> Result<Map<String, Value>, StoreError> {
    let all = OF_CART.iter().chain(OF_ITEMS).chain(OF_SHIPPING).chain([&CURRENCY]);
    let attribute = all.into_iter().find(|it| it.path == rule.attribute);
    let mut shown = match attribute {
        Some(attribute) => attribute.is_offered_as(),
        None => object(json!({
            "value": rule.attribute, "label": rule.attribute, "required": false, "field_type": "text",
            "operators": operators(&[(rule.operator, rule.operator.as_str())]),
        })),
    };
    let values: Result<Vec<Value>, StoreError> = match attribute {
        Some(attribute) => rule.values.0.iter().map(|it| attribute.labelled(view, it)).collect(),
        None => Ok(rule.values.0.iter().map(|it| json!({ "value": it, "label": it })).collect()),
    };
    let operator = OPERATORS.iter().find(|(it, _)| *it == rule.operator);
    let mut fields = json!({
        "id": rule.id,
        "attribute": rule.attribute,
        "operator": rule.operator.as_str(),
        "values": values?,
        "attribute_label": attribute.map_or(rule.attribute.as_str(), |it| it.label),
        "operator_label": operator.map_or(rule.operator.as_str(), |(_, label)| label),
    });
    if kind != RuleKind::Rules {
        fields["description"] = json!(rule.description);
        fields["created_at"] = json!(rule.created_at);
        fields["updated_at"] = json!(rule.updated_at);
        fields["deleted_at"] = Value::Null;
    }
    shown.append(&mut object(fields));
    Ok(shown)
}

async fn batch_rules(call: Call) -> Result<Reply, Fault> {
    batch(call, RuleKind::Rules).await
}

async fn batch_target_rules(call: Call) -> Result<Reply, Fault> {
    batch(call, RuleKind::Target).await
}

async fn batch_buy_rules(call: Call) -> Result<Reply, Fault> {
    batch(call, RuleKind::Buy).await
}

async fn batch(mut call: Call, kind: RuleKind) -> Result<Reply, Fault> {
    let Batch { create, update, delete } = call.read()?;
    let create = create.into_iter().map(read).collect::<Result<_, _>>()?;
    let update =
        update.into_iter().map(|mut it| Ok((take_id(&mut it)?, read(it)?))).collect::<Result<_, Fault>>()?;
    let gone = delete.clone();
    let promotion_id = call.path("id").to_owned();
    let changes =
        RuleChanges { promotion_id: promotion_id.clone(), kind, batch: RuleBatch { create, update, delete } };
    let plan = RULE.plan(&call);
    plan.check(&call.view)?;
    let Call { app, pass, view, .. } = call;
    drop(view);
    let (done, view) = app
        .local_once(
            pass.actor,
            move |flow| flow.run(&BATCH_PROMOTION_RULES, changes),
            |done: &RulesDone| (ids(&done.created), ids(&done.updated)),
            |view, (created, updated)| {
                let done = again(view, &promotion_id, kind, &created, &updated)?;
                done.ok_or_else(|| app.cannot_repeat("what it created was deleted since"))
            },
        )
        .await?;
    let created = shown(&app, &view, &plan, done.created).await?;
    let updated = shown(&app, &view, &plan, done.updated).await?;
    Reply::object(|envelope| {
        envelope.name("created").extend(created);
        envelope.name("updated").extend(updated);
        envelope.field("deleted", &json!({ "ids": gone, "object": "promotion-rule", "deleted": true }));
        Ok(())
    })
}

/// The rules of a batch that is retried, as they are now; `None` if one of them was deleted.
fn again(
    view: &View,
    promotion_id: &str,
    kind: RuleKind,
    created: &[String],
    updated: &[String],
) -> Result<Option<RulesDone>, Fault> {
    let Some(promotion) = PROMOTIONS.get(view, promotion_id)? else { return Ok(None) };
    let rules = |ids: &[String]| -> Option<Vec<PromotionRule>> {
        ids.iter().map(|id| promotion.rules_of(kind).iter().find(|it| *it.id == **id).cloned()).collect()
    };
    let (Some(created), Some(updated)) = (rules(created), rules(updated)) else { return Ok(None) };
    Ok(Some(RulesDone { created, updated, promotion }))
}
