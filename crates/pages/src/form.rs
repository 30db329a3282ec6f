//! Forms: what was sent, and the fields that ask for it.

use atoll_kernel::{Decimal, Fault, Timestamp};
use axum::body::Bytes;
use maud::{Markup, Render, html};
use serde_json::{Map, Value, json};

use crate::PageCall;

/// A form that was sent. Names are nested as in query strings: `prices[0][amount]`.
#[derive(Clone, Debug, Default)]
pub struct Form(Map<String, Value>, Option<Upload>);

/// The files of a form, as they came: a body that the route of uploads reads.
#[derive(Clone, Debug)]
pub struct Upload {
    /// `multipart/form-data`, with the boundary.
    pub content_type: String,
    /// The whole form.
    pub body: Bytes,
}

impl Form {
    /// The form of these values.
    pub fn of(values: Map<String, Value>) -> Form {
        Form(values, None)
    }

    /// The form with its files.
    #[must_use]
    pub fn with_upload(self, upload: Upload) -> Form {
        Form(self.0, Some(upload))
    }

    /// The files, if the form can have any ([`PageCall::form_with_files`]).
    pub fn upload(&self) -> Option<&Upload> {
        self.1.as_ref()
    }

    /// The name of what is to be done: the button that was pressed ([`PageCall::form`]).
    pub fn action(&self) -> &str {
        self.asked().split(' ').next().unwrap_or_default()
    }

    /// The id of the record to which it is to be done: what the button names after the action.
    pub fn of_id(&self) -> &str {
        self.asked().split_once(' ').map_or("", |(_, id)| id)
    }

    /// The action with its id.
    pub(crate) fn asked(&self) -> &str {
        self.text("do")
    }

    /// What was typed, without space around it; empty if it is absent.
    pub fn text(&self, name: &str) -> &str {
        self.at(name).and_then(Value::as_str).unwrap_or_default().trim()
    }

    /// The value of this name, which may be nested once: `prices[eur]`.
    fn at(&self, name: &str) -> Option<&Value> {
        match name.split_once('[') {
            Some((outer, key)) => self.0.get(outer)?.get(key.strip_suffix(']')?),
            None => self.0.get(name),
        }
    }

    /// Did the form ask for this?
    fn asks(&self, name: &str) -> bool {
        self.at(name).is_some() || self.all(TICKS).contains(&name)
    }

    /// What was typed, or null if that is nothing.
    pub fn or_null(&self, name: &str) -> Value {
        Some(self.text(name)).filter(|it| !it.is_empty()).map_or(Value::Null, Value::from)
    }

    /// True if the box is ticked.
    pub fn is_on(&self, name: &str) -> bool {
        !self.text(name).is_empty()
    }

    /// A number as JSON; null if it is empty. Errors: what is no number, and more digits than JSON holds:
    /// nothing is rounded.
    pub fn number(&self, name: &str) -> Result<Value, Fault> {
        let text = self.text(name);
        if text.is_empty() {
            return Ok(Value::Null);
        }
        let typed =
            text.parse::<Decimal>().map_err(|_| Fault::invalid(format!("`{text}` is not a number")))?;
        let sent = json!(typed);
        match sent.to_string().parse::<Decimal>() {
            Ok(same) if same == typed => Ok(sent),
            _ => Err(Fault::invalid(format!("`{text}` has too many digits"))),
        }
    }

    /// The numbers that were typed into `name[key]`, by their keys. Those that are empty are left out.
    pub fn numbers(&self, name: &str) -> Result<Vec<(&str, Value)>, Fault> {
        let keys = self.nested(name).as_object().into_iter().flat_map(Map::keys);
        let typed = keys.map(|key| Ok((key.as_str(), self.number(&format!("{name}[{key}]"))?)));
        let typed = typed.collect::<Result<Vec<_>, Fault>>()?;
        Ok(typed.into_iter().filter(|(_, number)| !number.is_null()).collect())
    }

    /// A moment as JSON, null if it is empty. Without the script of the pages, the moment is in UTC.
    pub fn moment(&self, name: &str) -> Result<Value, Fault> {
        Ok(moment_of(self.text(name))?.map_or(Value::Null, |it| json!(it)))
    }

    /// The values of a list: of the boxes of this name that are ticked, say.
    pub fn all(&self, name: &str) -> Vec<&str> {
        match self.0.get(name) {
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(one)) => vec![one.as_str()],
            _ => Vec::new(),
        }
    }

    /// A nested value, as it was sent.
    pub fn nested(&self, name: &str) -> &Value {
        self.0.get(name).unwrap_or(&Value::Null)
    }
}

/// The moment that was typed, if one was: with its zone, or in UTC.
pub(crate) fn moment_of(text: &str) -> Result<Option<Timestamp>, Fault> {
    if text.is_empty() {
        return Ok(None);
    }
    let whole = if text.ends_with('Z') { text.to_owned() } else { format!("{text}:00Z") };
    let parsed = whole.parse().or_else(|_| format!("{text}Z").parse());
    parsed.map(Some).map_err(|_| Fault::invalid(format!("`{text}` is not a date with a time")))
}

/// The boxes that a form asks for: browsers send those alone that are ticked.
const TICKS: &str = "ticks";

/// What a field asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Line(&'static str),
    Area,
    Box,
    Boxes,
    Moment,
}

/// A field of a form. After a refusal it holds what was sent, instead of its value.
pub struct Field<'a> {
    kind: Kind,
    name: &'a str,
    label: &'a str,
    value: String,
    hint: &'a str,
    is_required: bool,
    options: Vec<(String, String)>,
    /// Of `options`, for boxes.
    ticked: Vec<String>,
}

impl<'a> Field<'a> {
    fn of(kind: Kind, name: &'a str, label: &'a str) -> Field<'a> {
        let (options, ticked) = (Vec::new(), Vec::new());
        Field { kind, name, label, value: String::new(), hint: "", is_required: false, options, ticked }
    }

    /// A line of text.
    pub fn text(name: &'a str, label: &'a str) -> Field<'a> {
        Field::of(Kind::Line("text"), name, label)
    }

    /// A line of another type of HTML: `email`, `password`, `search`, `url`, `file`.
    pub fn line(kind: &'static str, name: &'a str, label: &'a str) -> Field<'a> {
        Field::of(Kind::Line(kind), name, label)
    }

    /// A number; any number of digits.
    pub fn number(name: &'a str, label: &'a str) -> Field<'a> {
        Field::of(Kind::Line("number"), name, label)
    }

    /// Several lines of text.
    pub fn area(name: &'a str, label: &'a str) -> Field<'a> {
        Field::of(Kind::Area, name, label)
    }

    /// A box to tick.
    pub fn tick(name: &'a str, label: &'a str, is_on: bool) -> Field<'a> {
        Field::of(Kind::Box, name, label).value(if is_on { "on" } else { "" })
    }

    /// A date with a time, in the zone of the person.
    pub fn moment(name: &'a str, label: &'a str) -> Field<'a> {
        Field::of(Kind::Moment, name, label)
    }

    /// One of these: value and label. A value that is not among them is one of them, too: otherwise browsers
    /// would take the first one for it.
    pub fn choice(
        name: &'a str,
        label: &'a str,
        options: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>,
    ) -> Field<'a> {
        let options = options.into_iter().map(|(value, label)| (value.into(), label.into())).collect();
        Field { options, ..Field::of(Kind::Line("select"), name, label) }
    }

    /// Any of these: value and label, and the values that are ticked. [`Form::all`] has them then.
    pub fn boxes(
        name: &'a str,
        label: &'a str,
        options: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>,
        ticked: impl IntoIterator<Item = impl Into<String>>,
    ) -> Field<'a> {
        let ticked = ticked.into_iter().map(Into::into).collect();
        Field { kind: Kind::Boxes, ticked, ..Field::choice(name, label, options) }
    }

    /// What it holds at first.
    #[must_use]
    pub fn value(mut self, value: impl Into<String>) -> Field<'a> {
        self.value = value.into();
        self
    }

    /// It must be filled in.
    #[must_use]
    pub fn required(mut self) -> Field<'a> {
        self.is_required = true;
        self
    }

    /// A sentence below it.
    #[must_use]
    pub fn hint(mut self, text: &'a str) -> Field<'a> {
        self.hint = text;
        self
    }

    /// With what was sent, if this page shows a form that was refused.
    #[must_use]
    pub fn kept(mut self, call: &PageCall) -> Field<'a> {
        if let Some(refused) = call.refused().filter(|it| it.form.asks(self.name)) {
            self.value = refused.form.text(self.name).to_owned();
            self.ticked = refused.form.all(self.name).into_iter().map(str::to_owned).collect();
        }
        self
    }

    /// As `kept`, of one of several forms with this field.
    #[must_use]
    pub fn kept_in(self, call: &PageCall, action: &str) -> Field<'a> {
        if call.is_refused(action) { self.kept(call) } else { self }
    }

    /// Many boxes are a group of their own.
    fn render_boxes(&self, hint_id: &str, described: Option<&str>) -> Markup {
        html! {
            fieldset aria-describedby=[described] {
                legend { (self.label) }
                input type="hidden" name=(format!("{TICKS}[]")) value=(self.name);
                @for (value, text) in &self.options {
                    label class="tick" {
                        span { (text) }
                        input type="checkbox" name=(format!("{}[]", self.name)) value=(value)
                            checked[self.ticked.contains(value)];
                    }
                }
                @if self.options.is_empty() { p class="hint" { "None." } }
                @if !self.hint.is_empty() { small id=(hint_id) { (self.hint) } }
            }
        }
    }
}

impl Render for Field<'_> {
    fn render(&self) -> Markup {
        let Field { kind, name, label, value, hint, is_required, options, .. } = self;
        let hint_id = format!("hint-{name}");
        let described = (!hint.is_empty()).then_some(hint_id.as_str());
        let input = match kind {
            Kind::Boxes => return self.render_boxes(&hint_id, described),
            Kind::Line("select") => html! {
                select name=(name) required[*is_required] aria-describedby=[described] {
                    @for (option, text) in options {
                        option value=(option) selected[option == value] { (text) }
                    }
                    @if !value.is_empty() && options.iter().all(|it| it.0 != *value) {
                        option value=(value) selected { (value) }
                    }
                }
            },
            Kind::Line(kind) => {
                let step = (*kind == "number").then_some("any");
                let value = (*kind != "file").then_some(value);
                html! {
                    input type=(kind) name=(name) value=[value] step=[step] required[*is_required]
                        multiple[*kind == "file"]
                        aria-describedby=[described];
                }
            }
            Kind::Area => html! {
                textarea name=(name) rows="4" required[*is_required] aria-describedby=[described] { (value) }
            },
            Kind::Box => html! {
                input type="hidden" name=(format!("{TICKS}[]")) value=(name);
                input type="checkbox" name=(name) value="on" checked[!value.is_empty()]
                    aria-describedby=[described];
            },
            // The script shows it in the zone of the person, and sends it in UTC.
            Kind::Moment => html! {
                input type="datetime-local" name=(name) value=(value.get(..16).unwrap_or_default()) step="any"
                    data-utc=(value) required[*is_required] aria-describedby=[described];
            },
        };
        let class = if *kind == Kind::Box { "field tick" } else { "field" };
        html! {
            label class=(class) {
                span {
                    (label)
                    @if *kind == Kind::Moment { " " span class="utc" { "(UTC)" } }
                }
                (input)
                @if !hint.is_empty() { small id=(hint_id) { (hint) } }
            }
        }
    }
}
