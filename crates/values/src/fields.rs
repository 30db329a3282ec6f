//! The `fields` parameter of a request, with what its route shows beside it.

/// Which fields of a record an answer shows. Where nothing is asked for, it shows the defaults of the route.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    asked: Option<String>,
    expanded: Vec<String>,
    added: Vec<&'static str>,
}

impl Fields {
    /// What a request asks for, in the syntax of the parameter.
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

    /// The older API's `expand=a,b`: whole relations beside what is shown without it.
    pub fn expand(&mut self, relations: &str) {
        let relations = relations.split(',').map(str::trim).filter(|it| !it.is_empty());
        self.expanded.extend(relations.map(|it| format!("*{it}")));
        if !self.expanded.is_empty() {
            self.asked = self.asked.take().filter(|it| !it.is_empty());
        }
    }

    /// Does the request name this entry, as it is or to be added?
    pub fn names(&self, entry: &str) -> bool {
        let mut entries = self.asked.iter().flat_map(|it| it.split(','));
        entries.any(|it| it.trim_start_matches('+') == entry)
    }

    /// The text of the request, if it has one.
    pub fn asked(&self) -> Option<&str> {
        self.asked.as_deref()
    }

    /// What the request expanded, as paths.
    pub fn expanded(&self) -> &[String] {
        &self.expanded
    }

    /// What the route added, as paths.
    pub fn added(&self) -> &[&'static str] {
        &self.added
    }

    /// What the route added, where the request itself asks for nothing: one of few sets, which the route
    /// decides on.
    pub fn of_route(&self) -> Option<&[&'static str]> {
        (self.asked.is_none() && self.expanded.is_empty()).then_some(&*self.added)
    }
}
