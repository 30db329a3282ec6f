//! The `fields` parameter of a request: the projection, with the fields that the route adds to it.

/// The fields of a record that an answer shows. The default is that of the route.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    asked: Option<String>,
    expanded: Vec<String>,
    added: Vec<&'static str>,
}

impl Fields {
    /// Parses the parameter.
    pub fn parse(text: &str) -> Fields {
        Fields { asked: Some(text.to_owned()), ..Fields::default() }
    }

    /// Nothing but ids.
    pub fn none() -> Fields {
        Fields::parse("")
    }

    /// Shows this path, too, whatever the request asks for.
    pub fn add(&mut self, path: &'static str) {
        self.added.push(path);
    }

    /// The older API's `expand=a,b`: whole relations in addition to the fields shown without it.
    pub fn expand(&mut self, relations: &str) {
        let relations = relations.split(',').map(str::trim).filter(|it| !it.is_empty());
        self.expanded.extend(relations.map(|it| format!("*{it}")));
        if !self.expanded.is_empty() {
            self.asked = self.asked.take().filter(|it| !it.is_empty());
        }
    }

    /// Does the request name this entry, with or without a `+`, or expand it?
    pub fn names(&self, entry: &str) -> bool {
        let asked =
            self.asked.iter().flat_map(|it| it.split(',')).map(|it| it.trim_start_matches(['+', ' ']));
        asked.chain(self.expanded.iter().map(String::as_str)).any(|it| it == entry)
    }

    /// The text of the parameter; `None` if it is absent.
    pub fn asked(&self) -> Option<&str> {
        self.asked.as_deref()
    }

    /// The paths that the request expanded.
    pub fn expanded(&self) -> &[String] {
        &self.expanded
    }

    /// The paths that the route added.
    pub fn added(&self) -> &[&'static str] {
        &self.added
    }

    /// The paths that the route added, if the request has neither `fields` nor `expand`: one of a few sets,
    /// which the route decides on.
    pub fn of_route(&self) -> Option<&[&'static str]> {
        (self.asked.is_none() && self.expanded.is_empty()).then_some(&*self.added)
    }
}
