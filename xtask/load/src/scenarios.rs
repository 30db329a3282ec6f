//! The table of scenarios. A new one is an entry in it: a name, what is asked for, on which data sets.

use std::rc::Rc;

use crate::{
    client,
    generate_catalogue::{COMMON_WORD, RARE_WORD, Random, Vocabulary},
    turns::Step,
    world::World,
};

/// A data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Set {
    Small,
    Large,
    Wide,
    /// A copy of the small set, which is written to.
    Written,
}

/// Are answers remembered by the server that is measured?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answers {
    /// Each is built: `answers_bytes_max` is 0.
    Built,
    /// By the default settings.
    Remembered,
}

/// Whose credentials a request has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// A storefront with the key of the first channel, which has all products.
    Store,
    /// A storefront with a key of five channels.
    Five,
    Admin,
    /// An admin in a browser, with a session.
    Person,
}

impl Who {
    pub(crate) fn client(self, world: &World) -> client::Client {
        match self {
            Who::Store => world.storefront(),
            Who::Five => client::Client::new(world.address).with_key(&world.five),
            Who::Admin => world.admin(),
            Who::Person => world.person(),
        }
    }
}

/// What the clients of a scenario do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// They ask for this path. See [`paths`] for its placeholders.
    Get(Who, &'static str),
    /// They ask for this path, which may be refused: it is as expensive as a storefront can make it.
    Costly(&'static str),
    /// They ask whether the answer to this path has changed.
    Revalidate(Who, &'static str),
    /// They take this step of a checkout.
    Shop(Step),
    /// Nine reads of this path for one write.
    Mixed(&'static str),
    /// The attack: expensive requests while victims are measured.
    Attack,
    /// Many products are linked to a channel in one call.
    Links,
    /// A server is started, and asked for a page.
    Open,
}

/// What a scenario has to reach.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Target {
    /// CPU time and keys on the large set, of those on the small one: at most.
    pub(crate) of_small_max: Option<f64>,
    /// CPU time of the floor, of that of the server: at least.
    pub(crate) of_floor_min: Option<f64>,
    /// CPU time, of that of the other commit: at most.
    pub(crate) of_beside_max: Option<f64>,
    /// CPU time per request: at most.
    pub(crate) cpu_us_max: Option<f64>,
    /// 99th percentile: at most.
    pub(crate) p99_ms_max: Option<f64>,
    /// Bytes of an answer: at most.
    pub(crate) bytes_max: Option<f64>,
}

const NO_TARGET: Target = Target {
    of_small_max: None,
    of_floor_min: None,
    of_beside_max: None,
    cpu_us_max: None,
    p99_ms_max: None,
    bytes_max: None,
};

/// Something to measure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) work: Work,
    pub(crate) sets: &'static [Set],
    pub(crate) answers: Answers,
    /// Clients at a time.
    pub(crate) n_clients: usize,
    pub(crate) target: Target,
}

const PAIR: &[Set] = &[Set::Small, Set::Large];
const LARGE: &[Set] = &[Set::Large];
const WIDE: &[Set] = &[Set::Wide];
const WRITTEN: &[Set] = &[Set::Written];

/// A list, whose cost must not grow with the data.
const fn list(name: &'static str, who: Who, path: &'static str) -> Scenario {
    let target = Target { of_small_max: Some(1.5), ..NO_TARGET };
    let work = Work::Get(who, path);
    Scenario { name, work, sets: PAIR, answers: Answers::Built, n_clients: 1, target }
}

/// A search of the large set.
const fn search(name: &'static str, path: &'static str) -> Scenario {
    let target = Target { cpu_us_max: Some(5_000.0), ..NO_TARGET };
    Scenario { sets: LARGE, target, ..list(name, Who::Store, path) }
}

/// A page of a storefront or dashboard whose answer is built.
const fn built(name: &'static str, who: Who, path: &'static str) -> Scenario {
    let target = Target { of_beside_max: Some(0.6), ..NO_TARGET };
    Scenario { n_clients: 16, target, ..list(name, who, path) }
}

/// A page for people.
const fn person(name: &'static str, path: &'static str) -> Scenario {
    let target =
        Target { of_small_max: Some(1.5), cpu_us_max: Some(5_000.0), bytes_max: Some(60_000.0), ..NO_TARGET };
    Scenario { target, ..list(name, Who::Person, path) }
}

/// The same page, remembered: `floor` is the least share of the floor.
const fn remembered(name: &'static str, who: Who, path: &'static str, floor: f64) -> Scenario {
    let target = Target { of_floor_min: Some(floor), ..NO_TARGET };
    Scenario { answers: Answers::Remembered, target, ..built(name, who, path) }
}

const fn shop(name: &'static str, step: Step) -> Scenario {
    let target = Target { of_floor_min: Some(0.4), ..NO_TARGET };
    let (work, answers) = (Work::Shop(step), Answers::Remembered);
    Scenario { name, work, sets: WRITTEN, answers, n_clients: 64, target }
}

/// One of the requests of the attack, alone.
const fn expensive(name: &'static str, path: &'static str) -> Scenario {
    Scenario { work: Work::Costly(path), target: NO_TARGET, sets: LARGE, ..list(name, Who::Store, path) }
}

const QUANTITY: &str = "/store/products?limit=20&region_id={region}\
                        &fields=*variants.calculated_price,%2Bvariants.inventory_quantity";
const PRODUCT: &str = "/store/products/{product}";
const EVERYTHING: &str = "*variants,*variants.prices,*variants.calculated_price,%2Bvariants.inventory_quantity,\
                          *variants.options,*options,*options.values,*images,*tags,*type,*collection,\
                          *categories";

/// Everything that is measured, in this order.
pub(crate) const SCENARIOS: &[Scenario] = &[
    // Opening and the first answer.
    Scenario {
        name: "open",
        work: Work::Open,
        target: Target { p99_ms_max: Some(150.0), ..NO_TARGET },
        ..list("", Who::Store, "")
    },
    // Lists whose answers are built: large against small.
    list("list default order", Who::Store, "/store/products?limit=20&fields=id,title"),
    list("list order=title", Who::Store, "/store/products?limit=20&fields=id,title&order=title"),
    list("list order=-created_at", Who::Store, "/store/products?limit=20&fields=id,title&order=-created_at"),
    list("list q", Who::Store, "/store/products?limit=20&fields=id,title&q={rare}"),
    list("list category", Who::Store, "/store/products?limit=20&fields=id,title&category_id[]={category}"),
    list("list five channels", Who::Five, "/store/products?limit=20&fields=id,title"),
    list(
        "list combined",
        Who::Five,
        "/store/products?limit=20&fields=id,title&category_id[]={category}&q={common}&order=title",
    ),
    list("list offset", Who::Store, "/store/products?limit=20&fields=id,title&offset={offset}"),
    list("list cursor", Who::Store, "/store/products?limit=20&fields=id,title&cursor={cursor}"),
    list("admin products newest", Who::Admin, "/admin/products?limit=20&fields=id,title&order=-created_at"),
    list("admin products q", Who::Admin, "/admin/products?limit=20&fields=id,title&q={rare}"),
    list(
        "admin variants by title",
        Who::Admin,
        "/admin/product-variants?limit=20&fields=id,title&order=title",
    ),
    list("admin items q", Who::Admin, "/admin/inventory-items?limit=20&fields=id,sku&q=777"),
    list("admin orders newest", Who::Admin, "/admin/orders?limit=20&fields=id,display_id&order=-created_at"),
    // Search.
    search("q absent", "/store/products?limit=20&fields=id,title&q={absent}"),
    search("q rare", "/store/products?limit=20&fields=id,title&q={rare}"),
    search("q half", "/store/products?limit=20&fields=id,title&q={common}"),
    search("q by frequency", "/store/products?limit=20&fields=id,title&q={word}"),
    search("q three letters", "/store/products?limit=20&fields=id,title&q=bac"),
    search("q several words", "/store/products?limit=20&fields=id,title&q={common}+{word}+{word}"),
    // Pages and single records.
    built("page built", Who::Store, "/store/products?limit=20"),
    remembered("page remembered", Who::Store, "/store/products?limit=20", 0.4),
    built("page with quantity built", Who::Store, QUANTITY),
    remembered("page with quantity remembered", Who::Store, QUANTITY, 0.4),
    built("product built", Who::Store, PRODUCT),
    remembered("product remembered", Who::Store, PRODUCT, 0.5),
    remembered("channel", Who::Admin, "/admin/sales-channels/{channel}", 0.5),
    remembered("channels", Who::Admin, "/admin/sales-channels?limit=20", 0.5),
    Scenario {
        work: Work::Revalidate(Who::Store, "/store/products?limit=20"),
        ..remembered("not modified", Who::Store, "", 0.6)
    },
    Scenario { sets: WIDE, ..built("wide page built", Who::Store, "/store/products?limit=20") },
    Scenario { sets: WIDE, ..built("wide channels built", Who::Admin, "/admin/sales-channels?limit=20") },
    // Pages for people.
    person("pages: home", "/app/"),
    person("pages: channels", "/app/channels"),
    person("pages: channel", "/app/channels/{channel}"),
    person("pages: assortment", "/app/channels/{channel}/products"),
    person("pages: matrix", "/app/matrix"),
    person("pages: why", "/app/why?channel={channel}&variant={variant}"),
    person("pages: preview", "/app/preview?channel={channel}&at=2040-01-01T00:00"),
    person("pages: products", "/app/products"),
    person("pages: products q", "/app/products?q={rare}"),
    person("pages: product", "/app/products/{product}"),
    person("pages: orders", "/app/orders"),
    person("pages: stock", "/app/stock"),
    // Writes.
    shop("cart create", Step::Create),
    shop("cart add", Step::Add),
    shop("cart complete", Step::Complete),
    shop("checkout", Step::Checkout),
    Scenario { sets: WRITTEN, n_clients: 64, ..remembered("reads of the mix", Who::Store, QUANTITY, 0.4) },
    Scenario { work: Work::Mixed(QUANTITY), target: NO_TARGET, ..shop("mix 90/10", Step::Add) },
    Scenario { work: Work::Links, sets: LARGE, target: NO_TARGET, ..shop("links in one call", Step::Add) },
    // The most expensive requests: each alone, and all of them from many clients.
    expensive(
        "costs limit=1000, everything",
        "/store/products?limit=1000&region_id={region}&fields={everything}",
    ),
    expensive("costs $or of 100", "/store/products?limit=100&fields={everything}&region_id={region}{or}"),
    expensive("costs $and of $ne", "/store/products?limit=20&fields=id{and}"),
    expensive("costs q of a letter", "/store/products?limit=100&fields=id,title&q=a"),
    expensive("costs q of many words", "/store/products?limit=100&fields=id,title&q={words}"),
    expensive("costs $like", "/store/products?limit=20&fields=id&title[$like]=%25zz%25zz%25"),
    expensive("costs order by relation", "/store/products?limit=20&fields=id&order=collection.title"),
    expensive("costs order without index", "/store/products?limit=20&fields=id&order=subtitle"),
    expensive(
        "costs times",
        "/store/products?limit=20&fields=id&created_at[$gte]=2001-01-01&order=-updated_at",
    ),
    expensive("costs filter of variants", "/store/products?limit=20&fields=id&variants[sku][$like]=%250%25"),
    expensive("costs offset", "/store/products?limit=20&fields=id&offset={offset}"),
    expensive(
        "costs offset, order, filter",
        "/store/products?limit=1000&fields=id&order=title&offset={offset}&q={common}",
    ),
    expensive(
        "costs products of collections",
        "/store/collections?limit=100&fields=*products,*products.variants",
    ),
    expensive("costs deep fields", "/store/products?limit=1000&fields={deep}"),
    Scenario { work: Work::Attack, sets: LARGE, target: NO_TARGET, ..shop("attack", Step::Add) },
];

/// The paths of the expensive requests.
pub(crate) fn expensive_paths() -> impl Iterator<Item = &'static str> {
    SCENARIOS.iter().filter_map(|it| match it.work {
        Work::Costly(path) => Some(path),
        _ => None,
    })
}

/// Paths with the placeholders filled in: `{region}`, `{channel}`, `{category}`, `{variant}`; `{product}` is
/// each of many products, `{word}` each of many words by their frequency; `{common}`, `{rare}` and `{absent}`
/// are words of half of all titles, of ten and of none; `{offset}` and `{cursor}` lead behind nine tenths of
/// the list, an offset no further than storefronts may go. Nothing if the server has no cursors.
pub(crate) async fn paths(template: &str, world: &World) -> anyhow::Result<Option<Rc<Vec<String>>>> {
    /// Paths that requests take in turn.
    const N_DRAWN: usize = 200;
    const OFFSET_MAX: usize = 90_000;
    let mut path = template.to_owned();
    if path.contains("{cursor}") {
        let Some(cursor) = world.deep_cursor().await? else { return Ok(None) };
        path = path.replace("{cursor}", &cursor);
    }
    let offset = (world.n_products * 9 / 10).min(OFFSET_MAX).to_string();
    let (vocabulary, mut random) = (Vocabulary::new(), Random(1));
    let words: Vec<&str> = (0..60).map(|_| vocabulary.draw(&mut random)).collect();
    let or: String = (0..99).map(|n| format!("&$or[{n}][title][$ilike]=%25{n}%25")).collect();
    let and: String = (0..99).map(|n| format!("&$and[{n}][title][$ne]=t{n}")).collect();
    let deep = ["*variants", "*collection.products.variants", "*categories.products.variants"].join(",");
    for (name, value) in [
        ("{region}", &*world.region),
        ("{channel}", &world.channel),
        ("{category}", &world.category),
        ("{variant}", &world.products[0].1),
        ("{offset}", &offset),
        ("{common}", COMMON_WORD),
        ("{rare}", RARE_WORD),
        ("{absent}", "absentee"),
        ("{everything}", EVERYTHING),
        ("{words}", &words.join("+")),
        ("{or}", &or),
        ("{and}", &and),
        ("{deep}", &deep),
    ] {
        path = path.replace(name, value);
    }
    if path.contains("{product}") {
        return Ok(Some(Rc::new(
            world.products.iter().map(|(id, _)| path.replace("{product}", id)).collect(),
        )));
    }
    if path.contains("{word}") {
        let drawn = (0..N_DRAWN).map(|_| {
            let mut path = path.clone();
            while path.contains("{word}") {
                path = path.replacen("{word}", vocabulary.draw(&mut random), 1);
            }
            path
        });
        return Ok(Some(Rc::new(drawn.collect())));
    }
    Ok(Some(Rc::new(vec![path])))
}
