//! `admin_page!` and `admin_widget!`: pages of a module, and what it adds to the page of a record of others.

use std::{fmt, pin::Pin};

use atoll_kernel::{Ctx, Fault, Registry, inventory};
use maud::{Markup, html};

use crate::{Address, Done, Form, PageCall};

/// A part of the menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Menu {
    /// What sells where.
    Channels,
    /// What there is to sell.
    Catalogue,
    /// Orders and customers.
    Sales,
    /// How the shop is set up.
    Settings,
    /// Whether it runs.
    Operation,
}

impl Menu {
    /// All, in the order of the menu.
    pub const ALL: [Menu; 5] =
        [Menu::Channels, Menu::Catalogue, Menu::Sales, Menu::Settings, Menu::Operation];
}

/// Where the menu has a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MenuPlace {
    /// The part of the menu.
    pub menu: Menu,
    /// The order within it; those of the core are tens.
    pub order: u32,
    /// What the menu calls it.
    pub title: &'static str,
}

/// A page as it is shown.
pub struct Page {
    /// The heading.
    pub title: String,
    /// The pages above it: address and title.
    pub above: Vec<(Address, String)>,
    /// What stands below the heading.
    pub body: Markup,
}

impl Page {
    /// A page with this heading.
    pub fn new(title: impl Into<String>, body: Markup) -> Page {
        Page { title: title.into(), above: Vec::new(), body }
    }

    /// Below this page; the outermost is named first.
    #[must_use]
    pub fn below(mut self, address: impl Into<Address>, title: impl Into<String>) -> Page {
        self.above.push((address.into(), title.into()));
        self
    }
}

/// What a form leads to when what it asked for was done.
pub enum Next {
    /// Another page, or this one again; reloading it does nothing again.
    To(Address, Done),
    /// This page, which is shown once and has no address: of what may be seen once, a secret say.
    Once(Page),
}

impl Next {
    /// To this page.
    pub fn to(address: impl Into<Address>, done: Done) -> Next {
        Next::To(address.into(), done)
    }
}

type Later<T> = Pin<Box<dyn Future<Output = Result<T, Fault>> + Send>>;

/// A page that is linked in: shown to admins, below the root of the pages.
pub struct AdminPage {
    /// The path below the root, with parameters as `:name`.
    pub path: &'static str,
    /// Where the menu has it, if it does.
    pub place: Option<MenuPlace>,
    /// The feature flag that enables it.
    pub flag: Option<&'static str>,
    /// Shows it.
    pub show: fn(PageCall) -> Later<Page>,
    /// Does what a form on it asks for.
    pub act: Option<fn(PageCall, Form) -> Later<Next>>,
}

/// The page of a record to which widgets are added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageOf {
    /// Of a product.
    Product,
    /// Of a sales channel.
    Channel,
    /// Of an order.
    Order,
    /// Of a customer.
    Customer,
}

/// What a module adds to the page of a record of others.
pub struct AdminWidget {
    /// On which page.
    pub on: PageOf,
    /// Its heading.
    pub title: &'static str,
    /// The feature flag that enables it.
    pub flag: Option<&'static str>,
    /// Shows it for the record with this id.
    pub show: fn(PageCall, String) -> Later<Markup>,
}

#[doc(hidden)]
pub struct LinkedPage(pub &'static AdminPage);
#[doc(hidden)]
pub struct LinkedWidget(pub &'static AdminWidget);

inventory::collect!(LinkedPage);
inventory::collect!(LinkedWidget);

/// The pages and widgets that are linked in, without those of modules and flags that are switched off.
pub struct Linked {
    /// The pages, by path.
    pub pages: Vec<&'static AdminPage>,
    /// The widgets, by title.
    widgets: Vec<&'static AdminWidget>,
}

impl Linked {
    /// Those of this application.
    pub fn of(app: &Ctx) -> Linked {
        let registry = app.registry();
        let is_on = |flag: Option<&str>| {
            let flag = flag.and_then(|name| registry.flags.iter().find(|it| it.name == name));
            flag.is_none_or(|it| app.is_on(it))
        };
        let mut linked = Linked::all(registry);
        linked.pages.retain(|it| is_on(it.flag));
        linked.widgets.retain(|it| is_on(it.flag));
        linked
    }

    /// Those of this registry, also those of flags that are switched off.
    pub fn all(registry: &Registry) -> Linked {
        let pages = inventory::iter::<LinkedPage>.into_iter().map(|it| it.0);
        let widgets = inventory::iter::<LinkedWidget>.into_iter().map(|it| it.0);
        let mut pages = registry.switched_on(pages, |it| *it);
        let mut widgets = registry.switched_on(widgets, |it| *it);
        pages.sort_by_key(|it| it.path);
        widgets.sort_by_key(|it| it.title);
        Linked { pages, widgets }
    }

    /// The page at this path below the root. None if its module or its feature flag is switched off.
    pub fn at(&self, path: &str) -> Option<&'static AdminPage> {
        let pages = self.pages.iter().copied().filter(|it| it.is_at(path));
        // A word is meant before a parameter: `/channels/new`, and not `/channels/:id`.
        pages.min_by_key(|it| it.path.matches(':').count())
    }
}

impl AdminPage {
    fn is_at(&self, path: &str) -> bool {
        let mut asked = path.split('/');
        let fits = |ours: &str, it: &str| ours == it || ours.starts_with(':') && !it.is_empty();
        self.path.split('/').all(|ours| asked.next().is_some_and(|it| fits(ours, it)))
            && asked.next().is_none()
    }
}

/// Prints them, one line each, as the registry prints what is linked in.
impl fmt::Display for Linked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let with = |flag: Option<&str>| flag.map_or_else(String::new, |it| format!(" with {it}"));
        for AdminPage { path, place, flag, .. } in &self.pages {
            let place = place.map_or_else(String::new, |MenuPlace { menu, order, title }| {
                format!(": {title} in {menu:?} {order}")
            });
            writeln!(f, "page {path}{place}{}", with(*flag))?;
        }
        for AdminWidget { on, title, flag, .. } in &self.widgets {
            writeln!(f, "widget {title}: on {on:?}{}", with(*flag))?;
        }
        Ok(())
    }
}

/// The widgets of a page, each as a section. One that fails says so, and the page is shown.
pub async fn widgets(call: &PageCall, on: PageOf, id: &str) -> Markup {
    let mut sections = Vec::new();
    for widget in call.linked().widgets.iter().filter(|it| it.on == on) {
        let body = match (widget.show)(call.clone(), id.to_owned()).await {
            Ok(body) => body,
            Err(fault) => crate::problem(&fault.to_string()),
        };
        sections.push((widget.title, body));
    }
    html! { @for (title, body) in sections { section class="card" { h2 { (title) } (body) } } }
}

/// Registers pages, after `with "flag";` those of a feature flag: the path below the root of the pages, the
/// title and the place in the menu of those that it has, the function that shows the page, and the one that
/// does what its forms ask for.
///
/// ```
/// use atoll_kernel::Fault;
/// use atoll_pages::{Done, Form, Next, Page, PageCall, admin_page, html};
///
/// admin_page! {
///     "/greeting" as "Greeting" in Settings 5 => show, change;
///     "/greeting/help" => help;
/// }
///
/// async fn show(call: PageCall) -> Result<Page, Fault> {
///     Ok(Page::new("Greeting", call.form("greet", "Greet", &[])))
/// }
///
/// async fn change(_: PageCall, _: Form) -> Result<Next, Fault> {
///     Ok(Next::to("/greeting", Done::Done))
/// }
///
/// async fn help(_: PageCall) -> Result<Page, Fault> {
///     Ok(Page::new("Help", html! { p { "It greets." } }).below("/greeting", "Greeting"))
/// }
/// ```
#[macro_export]
macro_rules! admin_page {
    (with $flag:literal; $($pages:tt)*) => { $crate::admin_page! { @@ Some($flag); $($pages)* } };
    (
        @@ $flag:expr;
        $($path:literal $(as $title:literal in $Menu:ident $order:literal)? => $show:path $(, $act:path)?;)*
    ) => { $(
        const _: () = {
            static PAGE: $crate::AdminPage = $crate::AdminPage {
                path: $path,
                place: $crate::admin_page!(@ $($title, $Menu, $order)?),
                flag: $flag,
                show: |call| Box::pin($show(call)),
                act: $crate::admin_page!(@ $($act)?),
            };

            ::atoll_kernel::inventory::submit! { $crate::LinkedPage(&PAGE) }
            ::atoll_kernel::place! { &PAGE }
        };
    )* };
    (@) => { None };
    (@ $title:literal, $Menu:ident, $order:literal) => {
        Some($crate::MenuPlace { menu: $crate::Menu::$Menu, order: $order, title: $title })
    };
    (@ $act:path) => { Some(|call, form| Box::pin($act(call, form))) };
    ($path:literal $($pages:tt)*) => { $crate::admin_page! { @@ None; $path $($pages)* } };
    ($($wrong:tt)*) => {
        compile_error!(
            "pages are written, with `with \"flag\";` at their beginning where it applies, one per line,\n\
             \x20   \"/restocks\" as \"Restocks\" in Catalogue 25 => show;\n\
             \x20   \"/restocks/:id\" => show_one, change_one;"
        );
    };
}

/// Registers what a module adds to the page of a record of others; `with "flag";` before it names its feature
/// flag.
///
/// ```
/// use atoll_kernel::Fault;
/// use atoll_pages::{Markup, PageCall, admin_widget, html};
///
/// admin_widget! { on Product, "Greetings" => greetings }
///
/// async fn greetings(_: PageCall, id: String) -> Result<Markup, Fault> {
///     Ok(html! { p { "Hello, " (id) } })
/// }
/// ```
#[macro_export]
macro_rules! admin_widget {
    (with $flag:literal; on $Page:ident, $title:literal => $show:path) => {
        $crate::admin_widget! { @ Some($flag), $Page, $title, $show }
    };
    (on $Page:ident, $title:literal => $show:path) => {
        $crate::admin_widget! { @ None, $Page, $title, $show }
    };
    (@ $flag:expr, $Page:ident, $title:literal, $show:path) => {
        const _: () = {
            static WIDGET: $crate::AdminWidget = $crate::AdminWidget {
                on: $crate::PageOf::$Page,
                title: $title,
                flag: $flag,
                show: |call, id| Box::pin($show(call, id)),
            };

            ::atoll_kernel::inventory::submit! { $crate::LinkedWidget(&WIDGET) }
            ::atoll_kernel::place! { &WIDGET }
        };
    };
    ($($wrong:tt)*) => {
        compile_error!("a widget is written `on Product, \"Waiting shoppers\" => show`");
    };
}
