//! The page of a promotion: what it does, for which carts and goods, and how often it was used.

use atoll_kernel::Fault;
use atoll_pages::{
    Address, Button, Done, Field, Form, Markup, Next, Page, PageCall, admin_page, facts, hint, html, link,
    nothing, period,
};
use serde_json::{Value, json};

use super::{
    FIELDS, Promotion, STATES,
    campaigns::CAMPAIGNS,
    rules,
    rules::{MORE, Rule},
};
use crate::pages::{
    deletion::deletion,
    named::{Named, choices, options_or},
    store::currencies,
};

admin_page! {
    "/promotions/:id" => show, change;
}

fn route(call: &PageCall) -> Address {
    Address::of("/admin/promotions").then(call.path("id"))
}

async fn promotion(call: &PageCall) -> Result<Promotion, Fault> {
    call.api().one(route(call).with("fields", FIELDS), "promotion").await
}

async fn show(call: PageCall) -> Result<Page, Fault> {
    let promotion = promotion(&call).await?;
    let of_cart = rules::of(&call, &promotion.id, "rules").await?;
    let cart = rules::cart_fields(&call, &of_cart).await?;
    let body = html! {
        section class="card" { (summary(&call, &promotion)) }
        section class="card" {
            h2 { "For which carts" }
            (conditions(&call, "rules", &of_cart, "Every cart.").await?)
            (call.fold("Change", &["conditions"], call.form_of(
                |form| rules::cart_shown(form, &cart), &[Button::new("conditions", "Save conditions")],
            )))
        }
        (goods(&call, &promotion).await?)
        section class="card" { h2 { "Settings" } (settings(&call, &promotion).await?) }
        (deletion(
            &call,
            &html! {},
            "Delete the promotion",
            "Carts that have it lose it when they change next. Delete the promotion?",
        ))
    };
    Ok(Page::new(promotion.code, body).below("/promotions", "Promotions"))
}

fn summary(call: &PageCall, promotion: &Promotion) -> Markup {
    let campaign = promotion.campaign.as_ref();
    facts([
        ("State", promotion.state(call.now())),
        ("What it does", promotion.effect(call)),
        (
            "Who gets it",
            html! { @if promotion.is_automatic { "Every cart that fits" } @else { "Who types the code" } },
        ),
        ("Orders", html! { (promotion.uses()) }),
        (
            "Campaign",
            html! {
                @if let Some(it) = campaign {
                    (link(call, Address::of("/campaigns").then(&it.id), &it.name))
                } @else { "–" }
            },
        ),
        ("When", campaign.map_or_else(|| period(None, None), |it| period(it.starts_at, it.ends_at))),
    ])
}

/// Rules in words, each with the button that removes it.
async fn conditions(call: &PageCall, kind: &str, rules: &[Rule], none: &str) -> Result<Markup, Fault> {
    let variants = rules::variants_of(call, rules).await?;
    let opens = "The promotion holds for more without it. Remove the condition?";
    Ok(html! {
        @if rules.is_empty() { (nothing(none)) }
        ul class="check" {
            @for rule in rules {
                li {
                    span { (rule.called()) " " strong { (rule.demands(&variants)) } }
                    @if let Some(id) = &rule.id {
                        (call.button(
                            Button::danger(&format!("remove {kind} {id}"), "Remove", opens).of(rule.called()),
                        ))
                    }
                }
            }
        }
    })
}

/// Which goods are discounted, and which must be bought.
async fn goods(call: &PageCall, promotion: &Promotion) -> Result<Markup, Fault> {
    let target = promotion.application_method.as_ref().map_or("", |it| &*it.target_type);
    if target == "order" {
        return Ok(html! {});
    }
    let targets = rules::of(call, &promotion.id, "target-rules").await?;
    let bought = match &*promotion.kind {
        "buyget" => Some(rules::of(call, &promotion.id, "buy-rules").await?),
        _ => None,
    };
    let (title, any) = match target {
        "shipping_methods" => ("Off which shipping", "Every way of shipping."),
        _ => ("Off which goods", "All goods."),
    };
    let more = MORE.fields(call).await?;
    Ok(html! {
        @if let Some(bought) = bought {
            section class="card" {
                h2 { "What must be bought" }
                (conditions(call, "buy-rules", &bought, "Anything.").await?)
                (another(call, "buy-rules", &more))
            }
        }
        section class="card" {
            h2 { (title) }
            (conditions(call, "target-rules", &targets, any).await?)
            @if target == "items" { (another(call, "target-rules", &more)) }
        }
    })
}

/// The form of another condition that goods must meet.
fn another(call: &PageCall, kind: &str, fields: &[Field<'_>]) -> Markup {
    let action = format!("goods {kind}");
    let form = html! {
        (hint("Goods meet all conditions at once."))
        (call.form(&action, "Add condition", fields))
    };
    call.fold("Another condition", &[&action], form)
}

async fn settings(call: &PageCall, promotion: &Promotion) -> Result<Markup, Fault> {
    let campaign = promotion.campaign.as_ref();
    let own: Vec<Named> =
        campaign.into_iter().map(|it| Named { id: it.id.clone(), name: it.name.clone() }).collect();
    let campaigns = options_or("none", &choices(call, CAMPAIGNS, &own).await?);
    let value = promotion.application_method.as_ref().map_or_else(String::new, |it| it.value.to_string());
    let limit = promotion.limit.map_or_else(String::new, |it| it.to_string());
    let campaign = campaign.map_or_else(String::new, |it| it.id.clone());
    let mut fields = vec![
        Field::text("code", "Code").value(&*promotion.code).required(),
        Field::choice("status", "State", STATES).value(&*promotion.status),
        Field::number("value", "How much less").value(value).required(),
        Field::choice("campaign", "Campaign", campaigns).value(campaign),
    ];
    if !promotion.is_automatic {
        let hint = "Empty: in any number.";
        fields.push(Field::number("limit", "In how many orders").value(limit).hint(hint));
    }
    Ok(call.form("save", "Save", &fields))
}

async fn change(call: PageCall, form: Form) -> Result<Next, Fault> {
    match form.action() {
        "save" => {
            let body = json!({
                "code": form.text("code"),
                "status": form.text("status"),
                "limit": form.number("limit")?,
                "campaign_id": form.or_null("campaign"),
                "application_method": { "value": form.number("value")? },
            });
            call.api().post::<Value>(route(&call).with("fields", "id"), &body).await.map(drop)?;
        }
        "conditions" => {
            let before = rules::of(&call, call.path("id"), "rules").await?;
            let currency = currency(&call, &before).await?;
            let create = rules::cart_rules(&call, &form, &before, currency.as_deref()).await?;
            batch(&call, "rules", &json!({ "create": create, "delete": rules::asked_for(&before) })).await?;
        }
        "goods" => {
            let create = MORE.rules(&call, &form).await?;
            if create.is_empty() {
                return Err(Fault::invalid("Say which goods"));
            }
            batch(&call, form.of_id(), &json!({ "create": create })).await?;
        }
        "remove" => {
            let (kind, id) = form.of_id().split_once(' ').unwrap_or_default();
            batch(&call, kind, &json!({ "delete": [id] })).await?;
        }
        "delete" => {
            call.api().delete(route(&call)).await?;
            return Ok(Next::to("/promotions", Done::Deleted));
        }
        _ => return Err(Fault::invalid("There is no such button")),
    }
    Ok(Next::to(Address::of("/promotions").then(call.path("id")), Done::Saved))
}

/// The currency that an amount of goods is in; none where that of the discount says it.
async fn currency(call: &PageCall, before: &[Rule]) -> Result<Option<String>, Fault> {
    let method = promotion(call).await?.application_method;
    if method.is_some_and(|it| it.currency_code.is_some()) {
        return Ok(None);
    }
    match rules::currency(before) {
        Some(code) => Ok(Some(code)),
        None => Ok(currencies(call).await?.into_iter().next()),
    }
}

async fn batch(call: &PageCall, kind: &str, body: &Value) -> Result<(), Fault> {
    call.api().post::<Value>(route(call).then(kind).then("batch"), body).await.map(drop)
}
