//! Buttons of forms, and the question of those whose action cannot be taken back.

use maud::{Markup, Render, html};

/// A button of a form, which names what is to be done ([`Form::action`](crate::Form::action)).
#[derive(Clone, Copy)]
pub struct Button<'a> {
    pub(crate) action: &'a str,
    label: &'a str,
    class: Option<&'static str>,
    question: Option<&'a str>,
    record: Option<&'a str>,
    is_off: bool,
}

impl<'a> Button<'a> {
    /// A button that says `label`. The action may name its record after a space: `capture pay_1`
    /// ([`Form::of_id`](crate::Form::of_id)).
    pub fn new(action: &'a str, label: &'a str) -> Button<'a> {
        Button { action, label, class: None, question: None, record: None, is_off: false }
    }

    /// One of what cannot be taken back, with the question that is asked first.
    pub fn danger(action: &'a str, label: &'a str, question: &'a str) -> Button<'a> {
        Button { class: Some("danger"), question: Some(question), ..Button::new(action, label) }
    }

    /// It asks this first, and is pressed below the question. In a [fold](crate::PageCall::fold), which is
    /// opened first, a question would be the second one.
    #[must_use]
    pub fn asking(self, question: &'a str) -> Button<'a> {
        Button { question: Some(question), ..self }
    }

    /// One beside others that matter more.
    #[must_use]
    pub fn quiet(self) -> Button<'a> {
        Button { class: Some("quiet"), ..self }
    }

    /// One of many that say the same: it is told from them by what its record is called.
    #[must_use]
    pub fn of(self, record: &'a str) -> Button<'a> {
        Button { record: Some(record), ..self }
    }

    /// It cannot be pressed now.
    #[must_use]
    pub fn off(self, is_off: bool) -> Button<'a> {
        Button { is_off, ..self }
    }
}

impl Button<'_> {
    /// Does it ask first?
    pub(crate) fn asks(&self) -> bool {
        self.question.is_some()
    }

    /// What it is called where others say the same.
    fn name(&self) -> Option<String> {
        self.record.map(|it| format!("{}: {it}", self.label))
    }

    fn pressed(&self) -> Markup {
        let Button { action, label, class, is_off, .. } = self;
        html! {
            button name="do" value=(action) class=[class] disabled[*is_off] aria-label=[self.name()] { (label) }
        }
    }
}

impl Render for Button<'_> {
    fn render(&self) -> Markup {
        let Some(question) = self.question else { return self.pressed() };
        html! {
            details class="ask" {
                summary class=[self.class] aria-label=[self.name()] { (self.label) "…" }
                div { p { (question) } (self.pressed()) }
            }
        }
    }
}
