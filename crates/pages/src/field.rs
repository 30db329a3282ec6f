//! Fields of forms, and the form that shows them with what was typed.

use maud::{Markup, Render, html};

use crate::{Refused, Seen, html::choose};

/// A form that is shown. It tells its fields from those of other forms on the page, and if it was refused, it
/// shows in them what was typed.
pub struct Blank<'a> {
    /// The id of the form on the page.
    pub(crate) id: String,
    /// How it was refused, if it was.
    pub(crate) refused: Option<&'a Refused>,
}

impl Blank<'_> {
    /// A field of this form.
    pub fn field(&self, field: &Field<'_>) -> Markup {
        field.shown(&format!("{}-hint-{}", self.id, field.name), self.refused)
    }

    /// Fields of this form, one below the other.
    pub fn fields(&self, fields: &[Field<'_>]) -> Markup {
        html! { @for field in fields { (self.field(field)) } }
    }

    /// A field of this form, with what it holds at first:
    /// [`Form::changed_numbers`](crate::Form::changed_numbers) has those that were typed over.
    pub fn compared(&self, field: &Field<'_>) -> Markup {
        let (name, key) = field.name.split_at(field.name.find('[').unwrap_or(field.name.len()));
        html! {
            input type="hidden" name=(format!("was[{name}]{key}")) value=(field.value);
            (self.field(field))
        }
    }

    /// What the form shows of a record, so that what others save meanwhile is not overwritten
    /// ([`Api::save`](crate::Api::save)).
    pub fn seen(&self, seen: &Seen) -> Markup {
        html! { input type="hidden" name="seen" value=(seen.etag); }
    }

    /// The box of this form by which the record with this id is chosen ([`choose`]);
    /// [`Form::all`](crate::Form::all) has those that are.
    pub fn choose(&self, name: &str, id: &str, called: &str) -> Markup {
        let is_chosen = self.refused.is_some_and(|it| it.form.all(name).contains(&id));
        choose(name, id, called, is_chosen)
    }
}

/// What a field asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Line(&'static str),
    Select,
    Area,
    Box,
    Boxes,
    Moment,
}

/// A field of a form ([`Blank::field`]); rendered by itself, one of a search.
pub struct Field<'a> {
    kind: Kind,
    name: &'a str,
    label: &'a str,
    value: String,
    hint: &'a str,
    is_required: bool,
    autocomplete: Option<&'static str>,
    options: Vec<(String, String)>,
    /// Of `options`, for boxes.
    ticked: Vec<String>,
}

impl<'a> Field<'a> {
    fn of(kind: Kind, name: &'a str, label: &'a str) -> Field<'a> {
        Field {
            kind,
            name,
            label,
            value: String::new(),
            hint: "",
            is_required: false,
            autocomplete: None,
            options: Vec::new(),
            ticked: Vec::new(),
        }
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
        Field { options, ..Field::of(Kind::Select, name, label) }
    }

    /// Any of these: value and label, and the values that are ticked. [`Form::all`](crate::Form::all) has
    /// them then, and [`Form::change`](crate::Form::change) what is new.
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

    /// What browsers and password managers know it as: `username`, `new-password`.
    #[must_use]
    pub fn autocomplete(mut self, known_as: &'static str) -> Field<'a> {
        self.autocomplete = Some(known_as);
        self
    }

    /// The field with its value, or with what was sent.
    fn shown(&self, hint_id: &str, refused: Option<&Refused>) -> Markup {
        let Field { kind, name, label, hint, .. } = self;
        let described = (!hint.is_empty()).then_some(hint_id);
        let value: &str = match refused {
            Some(Refused { form, .. }) if *kind == Kind::Box || form.has(name) => form.text(name),
            _ => &self.value,
        };
        let input = match kind {
            Kind::Boxes => return self.boxes_shown(hint_id, described, refused),
            _ => self.input(value, described),
        };
        let is_outdated = refused.is_some_and(|it| it.is_outdated) && value != self.value;
        html! {
            label class=(if *kind == Kind::Box { "field tick" } else { "field" }) {
                span {
                    (label)
                    @if *kind == Kind::Moment { " " span class="utc" { "(UTC)" } }
                }
                (input)
                @if is_outdated { small class="now" { "Saved now: " (self.in_words()) } }
                @if !hint.is_empty() { small id=(hint_id) { (hint) } }
            }
        }
    }

    /// What it holds at first, as people read it.
    fn in_words(&self) -> &str {
        let option = self.options.iter().find(|it| it.0 == self.value);
        match (self.kind, self.value.as_str(), option) {
            (Kind::Box, "", _) => "no",
            (Kind::Box, ..) => "yes",
            (_, _, Some((_, label))) => label,
            (_, "", None) => "nothing",
            (_, value, None) => value,
        }
    }

    fn input(&self, value: &str, described: Option<&str>) -> Markup {
        let Field { kind, name, is_required, options, autocomplete, .. } = self;
        match kind {
            Kind::Select => html! {
                select name=(name) required[*is_required] aria-describedby=[described] {
                    @for (option, text) in options {
                        option value=(option) selected[option == value] { (text) }
                    }
                    @if !value.is_empty() && options.iter().all(|it| it.0 != value) {
                        option value=(value) selected { (value) }
                    }
                }
            },
            // Browsers keep what was typed in these to themselves.
            Kind::Line(kind @ ("password" | "file")) => html! {
                input type=(kind) name=(name) required[*is_required] multiple[*kind == "file"]
                    autocomplete=[autocomplete] aria-describedby=[described];
            },
            Kind::Line(kind) => html! {
                input type=(kind) name=(name) value=(value) step=[(*kind == "number").then_some("any")]
                    required[*is_required] autocomplete=[autocomplete] aria-describedby=[described];
            },
            Kind::Area => html! {
                textarea name=(name) rows="4" required[*is_required] aria-describedby=[described] { (value) }
            },
            Kind::Box | Kind::Boxes => html! {
                input type="checkbox" name=(name) value="on" checked[!value.is_empty()]
                    aria-describedby=[described];
            },
            // The script shows it in the zone of the person, and sends it in UTC. Without it, it is shown
            // whole: what is cut off would be lost when the form is sent.
            Kind::Moment => html! {
                input type="datetime-local" name=(name) value=(value.trim_end_matches('Z')) step="any"
                    data-utc=(value) required[*is_required] aria-describedby=[described];
            },
        }
    }

    /// Many boxes are a group of their own.
    fn boxes_shown(&self, hint_id: &str, described: Option<&str>, refused: Option<&Refused>) -> Markup {
        let ticked =
            || self.options.iter().map(|it| &*it.0).filter(|it| self.ticked.iter().any(|on| on == it));
        let (ticked, was) = match refused {
            Some(Refused { form, .. }) => (form.all(self.name), form.was(self.name)),
            None => (ticked().collect(), ticked().collect()),
        };
        html! {
            fieldset aria-describedby=[described] {
                legend { (self.label) }
                @for value in was { input type="hidden" name=(format!("was[{}][]", self.name)) value=(value); }
                @for (value, text) in &self.options {
                    label class="tick" {
                        span { (text) }
                        input type="checkbox" name=(format!("{}[]", self.name)) value=(value)
                            checked[ticked.contains(&value.as_str())];
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
        self.shown(&format!("hint-{}", self.name), None)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;
    use crate::Form;

    /// Browsers without script send what the field shows.
    #[test]
    fn a_moment_is_sent_back_as_it_was() {
        for at in ["2027-01-15T23:59:59.999Z", "2027-01-15T12:00:30.000Z"] {
            let shown = Field::moment("until", "Until").value(at).render().into_string();
            let (_, rest) = shown.split_once(" value=\"").expect("a value");
            let sent = rest.split('"').next().expect("its end");
            let form = Form::of(Map::from_iter([("until".to_owned(), json!(sent))]));
            assert_eq!(form.moment("until").expect("a moment"), json!(at));
        }
    }
}
