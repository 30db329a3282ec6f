//! Import of the records of a catalogue file. Existing records are found by handle, SKU or name, and updated
//! if they differ. Of duplicates in a file the first one counts; what is left out is left out in every run,
//! so the import is idempotent, and can be interrupted between any two records.

mod renames;
mod rows;
mod supply;
mod taxonomy;
mod variants;

use std::collections::{HashMap, HashSet};

use atoll_kernel::{
    Fault, Metadata, Moment, Read, StoreError, Timestamp, Write,
    data::{Direction, Entity, Scan, Service},
    limits::{OPTION_VALUES_MAX, PRODUCT_OPTIONS_MAX},
    serde_json::{Map, json},
};
use atoll_links::{
    AVAILABLE_FROM, AVAILABLE_UNTIL, PRODUCT_SALES_CHANNEL, REGION_PAYMENT_PROVIDER,
    SALES_CHANNEL_STOCK_LOCATION, Window,
};
use atoll_payment::SYSTEM_DEFAULT;
use atoll_product::{BY_HANDLE, OptionInput, PRODUCTS, Product, ProductImage, ProductStatus, handle_of};
use atoll_region::{COUNTRIES, REGIONS, Region, create_region};
use atoll_sales_channel::{SALES_CHANNELS, SalesChannel};
use atoll_stock_location::{STOCK_LOCATIONS, StockLocation};

use crate::{
    Catalogue, CatalogueChannel, CatalogueListing, CatalogueLocation, CatalogueProduct, CatalogueVariant,
    ProblemKind, Report,
    csv::{Field, Vocabulary},
    detail::set_text,
    model::WantedStatus,
    names::{NotFound, Shop, handle_in},
    outline::Outline,
    report::{Fate, Path},
};

pub(crate) use self::variants::sku_of;

/// Option of products whose file names none; its values are the titles of the variants.
const OPTION: &str = "Variant";

/// The kind of products in reports.
const PRODUCT: &str = "product";

/// Imports a catalogue in one transaction.
pub fn import(tx: &mut dyn Write, at: &Moment, catalogue: &Catalogue) -> Result<Report, Fault> {
    let mut so_far = SoFar::new(Outline::of(catalogue));
    so_far.lists(tx, at)?;
    for product in &catalogue.products {
        so_far.product(tx, at, product)?;
    }
    Ok(so_far.report)
}

/// An import between two transactions.
pub(crate) struct SoFar {
    pub(crate) report: Report,
    pub(crate) outline: Outline,
    /// Products that were read.
    pub(crate) n_products: usize,
    /// What products refer to: of a catalogue file what it has itself, of rows what is in the shop.
    shop: Shop,
    /// The kinds and handles that the file has used so far; of products those that it may use again.
    seen: HashSet<(&'static str, String)>,
    /// The SKUs of the variants that were accepted so far and that kits need.
    taken: HashSet<String>,
}

impl SoFar {
    pub(crate) fn new(outline: Outline) -> SoFar {
        SoFar {
            report: Report::default(),
            outline,
            n_products: 0,
            shop: Shop::default(),
            seen: HashSet::new(),
            taken: HashSet::new(),
        }
    }

    /// Imports everything but the products.
    pub(crate) fn lists(&mut self, tx: &mut dyn Write, at: &Moment) -> Result<(), Fault> {
        let lists = std::mem::take(&mut self.outline.lists);
        let mut import = Import { tx, at, so_far: self };
        let known = by_handle(import.tx, &SALES_CHANNELS, |it| &it.metadata)?;
        for (n, channel) in lists.sales_channels.iter().enumerate() {
            import.channel(
                &Path::of(format!("sales_channels[{n}] \"{}\"", channel.handle), None),
                channel,
                &known,
            )?;
        }
        let known = by_handle(import.tx, &STOCK_LOCATIONS, |it| &it.metadata)?;
        for (n, location) in lists.stock_locations.iter().enumerate() {
            import.location(
                &Path::of(format!("stock_locations[{n}] \"{}\"", location.handle), None),
                location,
                &known,
            )?;
        }
        import.categories(&lists)?;
        import.collections(&lists)?;
        import.shop()
    }

    /// Imports the next product of the file.
    pub(crate) fn product(
        &mut self,
        tx: &mut dyn Write,
        at: &Moment,
        product: &CatalogueProduct,
    ) -> Result<(), Fault> {
        let steps = format!("products[{}] \"{}\"", self.n_products, product.handle);
        let path = Path::of(steps, product.rows.place);
        self.n_products += 1;
        let vocabulary = self.outline.source.vocabulary();
        let mut import = Import { tx, at, so_far: self };
        for note in product.rows.notes.listed() {
            import.problem(&Path::of(String::new(), Some(note.place)), note.kind, note.message.clone());
        }
        for (kind, n_more) in product.rows.notes.n_more().filter(|(_, n_more)| *n_more > 0) {
            import.so_far.report.add_unlisted(kind, n_more);
        }
        match vocabulary {
            Some(Vocabulary::Listings) => import.listing_row(&path, product),
            Some(Vocabulary::Stock) => import.stock_row(&path, product),
            _ => import.product(&path, product),
        }
    }
}

/// What is referred to by name.
#[derive(Clone, Copy)]
enum Named {
    Channel,
    Location,
}

/// An import within a transaction.
struct Import<'a> {
    tx: &'a mut dyn Write,
    at: &'a Moment,
    so_far: &'a mut SoFar,
}

impl Import<'_> {
    fn problem(&mut self, path: &Path, kind: ProblemKind, message: impl Into<String>) {
        let SoFar { report, outline, .. } = &mut *self.so_far;
        report.problem(&outline.source, path, kind, message);
    }

    /// The id of what a file calls so. If there is none, that is reported, with what follows of it.
    fn named(&mut self, path: &Path, kind: Named, name: &str, so: &str) -> Option<String> {
        let SoFar { shop, outline, .. } = &*self.so_far;
        let (names, kind) = match kind {
            Named::Channel => (&shop.channels, "channel"),
            Named::Location => (&shop.locations, "location"),
        };
        let message = match names.find(name) {
            Ok(id) => return Some(id.to_owned()),
            Err(NotFound::Unknown) => format!("{kind} `{name}` {}; {so}", outline.source.is_not_there()),
            Err(NotFound::Ambiguous) => {
                format!("several {kind}s are called `{name}`, name it by its id; {so}")
            }
        };
        self.problem(path, ProblemKind::Reference, message);
        None
    }

    /// Creates the record, or updates the existing one; returns its id.
    fn keep<T: Entity + PartialEq>(
        &mut self,
        service: &Service<T>,
        there: Option<T>,
        fill: impl FnOnce(&mut T),
    ) -> Result<T, Fault> {
        let (record, fate) = match there {
            None => {
                let mut record = T::default();
                fill(&mut record);
                (service.create(self.tx, self.at, record)?, Fate::Created)
            }
            Some(before) => {
                let after = service.update(self.tx, self.at, before.id(), fill)?;
                let fate = if after == before { Fate::Unchanged } else { Fate::Updated };
                (after, fate)
            }
        };
        self.so_far.report.count(T::DEF.plural, fate);
        Ok(record)
    }

    /// Checks that a record has a handle and a name, and is the first of its kind with that handle. Reports
    /// it otherwise.
    fn is_new(&mut self, path: &Path, kind: &'static str, handle: &str, name: &str) -> bool {
        if handle.trim().is_empty() || name.trim().is_empty() {
            let name = if kind == "collection" { "title" } else { "name" };
            self.problem(
                path,
                ProblemKind::Incomplete,
                format!("a {kind} needs a handle and a {name}; it was left out"),
            );
            return false;
        }
        self.is_first(path, kind, handle)
    }

    fn is_first(&mut self, path: &Path, kind: &'static str, handle: &str) -> bool {
        let is_first = kind == PRODUCT && !self.so_far.outline.may_repeat(handle)
            || self.so_far.seen.insert((kind, handle.to_owned()));
        if !is_first {
            let message = match self.so_far.outline.source.csv() {
                Some(_) => format!("rows of {kind} `{handle}` stand apart from its first ones; left out"),
                None => format!("a second {kind} `{handle}`; it was left out"),
            };
            self.problem(path, ProblemKind::Duplicate, message);
        }
        is_first
    }

    fn channel(
        &mut self,
        path: &Path,
        input: &CatalogueChannel,
        known: &HashMap<String, SalesChannel>,
    ) -> Result<(), Fault> {
        if !self.is_new(path, "channel", &input.handle, &input.name) {
            return Ok(());
        }
        let there = known.get(&input.handle).cloned();
        let channel = self.keep(&SALES_CHANNELS, there, |it: &mut SalesChannel| {
            it.name = input.name.clone();
            it.description = input.description.clone().or(it.description.take());
            it.is_disabled = input.is_disabled;
            it.metadata = with_handle(std::mem::take(&mut it.metadata), &input.handle);
        })?;
        self.so_far.shop.channels.insert(&input.handle, &channel.id);
        self.region(path, input)
    }

    /// A channel with a currency and a country needs a region for them.
    fn region(&mut self, path: &Path, input: &CatalogueChannel) -> Result<(), Fault> {
        let (Some(currency), Some(country)) = (&input.currency_code, &input.country_code) else {
            return Ok(());
        };
        let Some(country) = COUNTRIES.get(self.tx, &country.to_lowercase())? else {
            self.problem(
                path,
                ProblemKind::Region,
                format!("country `{country}` does not exist; no region was made"),
            );
            return Ok(());
        };
        if let Some(region) = &country.region_id {
            if let Some(region) = REGIONS.get(self.tx, region)?
                && !region.currency_code.eq_ignore_ascii_case(currency)
            {
                let (theirs, name) = (region.currency_code, region.name);
                self.problem(
                    path,
                    ProblemKind::Region,
                    format!("country `{}` is in region `{name}`, which pays in {theirs}", country.iso_2),
                );
            }
            self.so_far.report.count("regions", Fate::Unchanged);
            return Ok(());
        }
        let region =
            Region { name: country.display_name, currency_code: currency.clone(), ..Region::default() };
        match create_region(self.tx, self.at, region, &[country.iso_2]) {
            Ok(region) => {
                // Money is handled manually, until an admin chooses another provider.
                REGION_PAYMENT_PROVIDER.attach(self.tx, self.at, &region.id, SYSTEM_DEFAULT, Map::new())?;
                self.so_far.report.count("regions", Fate::Created);
            }
            Err(error @ atoll_region::Error::NoCurrency(_)) => {
                self.problem(path, ProblemKind::Region, error.to_string())
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    fn location(
        &mut self,
        path: &Path,
        input: &CatalogueLocation,
        known: &HashMap<String, StockLocation>,
    ) -> Result<(), Fault> {
        if !self.is_new(path, "location", &input.handle, &input.name) {
            return Ok(());
        }
        let there = known.get(&input.handle).cloned();
        let location = self.keep(&STOCK_LOCATIONS, there, |it: &mut StockLocation| {
            it.name = input.name.clone();
            it.metadata = with_handle(std::mem::take(&mut it.metadata), &input.handle);
        })?;
        for channel in &input.sales_channels {
            if let Some(channel) = self.named(path, Named::Channel, channel, "not linked") {
                SALES_CHANNEL_STOCK_LOCATION.attach(self.tx, self.at, &channel, &location.id, Map::new())?;
            }
        }
        self.so_far.shop.locations.insert(&input.handle, &location.id);
        Ok(())
    }

    fn product(&mut self, path: &Path, input: &CatalogueProduct) -> Result<(), Fault> {
        if input.handle.is_empty() || plain_text(&input.title).is_empty() || input.variants.is_empty() {
            self.problem(
                path,
                ProblemKind::Incomplete,
                "a product needs a handle, a title and a variant; it was left out",
            );
            return Ok(());
        }
        if handle_of(&input.handle) != input.handle {
            self.problem(
                path,
                ProblemKind::Incomplete,
                "the handle does not fit into a URL; it was left out",
            );
            return Ok(());
        }
        if !self.is_first(path, PRODUCT, &input.handle) {
            return Ok(());
        }
        if let Some(reason) = &input.rows.refused {
            self.problem(path, ProblemKind::Incomplete, reason);
            return Ok(());
        }
        let Some(there) = self.known_product(path, input)? else { return Ok(()) };
        let variants = self.variants_of(path, input, there.as_ref())?;
        if variants.is_empty() {
            self.problem(path, ProblemKind::Incomplete, "none of its variants can be taken; it was left out");
            return Ok(());
        }
        let options = options_of(variants.iter().map(|it| it.input));
        if there.is_none() && options.len() > PRODUCT_OPTIONS_MAX {
            let message = format!("{}; it was left out", atoll_product::Error::TooManyOptions);
            self.problem(path, ProblemKind::Limit, message);
            return Ok(());
        }
        let wanted = self.record_of(path, input, there.as_ref())?;
        let details = &input.rows.details;
        let product = match there {
            Some(there) => {
                let source = self.so_far.outline.source.clone();
                self.keep(&PRODUCTS, Some(there), |it: &mut Product| {
                    it.handle = wanted.handle;
                    it.title = wanted.title;
                    it.status = wanted.status;
                    let tells = |field| source.tells(field);
                    tells(Field::Description).then(|| {
                        set_text(&mut it.description, wanted.description.as_deref().unwrap_or_default())
                    });
                    tells(Field::Type).then(|| it.type_id = wanted.type_id);
                    tells(Field::Category).then(|| it.category_ids = wanted.category_ids);
                    tells(Field::Collection).then(|| it.collection_id = wanted.collection_id);
                    input.rows.tags.is_some().then(|| it.tag_ids = wanted.tag_ids);
                    details.iter().for_each(|(detail, text)| detail.set_of_product(it, text));
                })?
            }
            None => {
                let product = atoll_product::create_product(self.tx, self.at, wanted, &options)?;
                self.so_far.report.count("products", Fate::Created);
                product
            }
        };
        self.listings(path, input, &product)?;
        self.variants(&product, variants)
    }

    /// The existing product, by the id that a file of rows may have, or by its handle. `None`, which is
    /// reported: the handle is that of another one.
    fn known_product(
        &mut self,
        path: &Path,
        input: &CatalogueProduct,
    ) -> Result<Option<Option<Product>>, Fault> {
        let by_handle = PRODUCTS.table.get_by(self.tx, &BY_HANDLE, &[&input.handle])?;
        let Some(by_id) = PRODUCTS.get(self.tx, &input.rows.id)?.filter(|it| it.deleted_at.is_none()) else {
            return Ok(Some(by_handle));
        };
        if by_handle.is_some_and(|it| it.id != by_id.id) {
            let message = format!("handle `{}` belongs to another product; left out", input.handle);
            self.problem(path, ProblemKind::Duplicate, message);
            return Ok(None);
        }
        Ok(Some(Some(by_id)))
    }

    fn record_of(
        &mut self,
        path: &Path,
        input: &CatalogueProduct,
        there: Option<&Product>,
    ) -> Result<Product, Fault> {
        let mut product = Product {
            title: self.text(path, "title", &input.title),
            handle: input.handle.clone(),
            status: self.status_of(input, there),
            description: input.description.as_ref().map(|it| self.text(path, "description", it)),
            ..Product::default()
        };
        input.rows.details.iter().for_each(|(detail, text)| detail.set_of_product(&mut product, text));
        product.images =
            input.images.iter().map(|url| ProductImage { url: url.clone(), ..Default::default() }).collect();
        product.type_id = self.type_of(input)?;
        product.tag_ids = self.tags_of(input)?;
        product.category_ids = self.categories_of(path, input)?;
        product.collection_id = self.collection_of(path, input)?;
        Ok(product)
    }

    /// A catalogue file has what is for sale. Of rows that say no status, what is new is a draft.
    fn status_of(&self, input: &CatalogueProduct, there: Option<&Product>) -> ProductStatus {
        let before = there.map(|it| it.status);
        match input.rows.status {
            None if self.so_far.outline.source.csv().is_none() => ProductStatus::Published,
            None => before.unwrap_or_default(),
            Some(WantedStatus::Is(status)) => status,
            Some(WantedStatus::Unpublished) => {
                before.filter(|it| *it != ProductStatus::Published).unwrap_or_default()
            }
        }
    }

    /// Text without markup; corrections are reported. Texts of rows stay as they are.
    fn text(&mut self, path: &Path, field: &str, text: &str) -> String {
        if self.so_far.outline.source.csv().is_some() {
            return text.to_owned();
        }
        if html_escape::decode_html_entities(text) != text {
            self.problem(path, ProblemKind::Text, format!("{field} holds HTML entities; they were decoded"));
        }
        plain_text(text)
    }

    fn listings(&mut self, path: &Path, input: &CatalogueProduct, product: &Product) -> Result<(), Fault> {
        let mut listed = HashSet::new();
        for (n, listing) in input.listings.iter().enumerate() {
            let path = path.step("listings", n, listing.place);
            let Some(channel) = self.named(&path, Named::Channel, &listing.channel, "not linked") else {
                continue;
            };
            if !listed.insert(channel.clone()) {
                let message = format!("a second listing in `{}`; it was left out", listing.channel);
                self.problem(&path, ProblemKind::Duplicate, message);
                continue;
            }
            let before = PRODUCT_SALES_CHANNEL.row(self.tx, &product.id, &channel)?;
            let before = before.map(|row| Window::of(&row));
            let window = match listing.keeps_window {
                true => Some(before.unwrap_or_default()),
                false => self.window(&path, listing),
            };
            if listing.visible_in_listings == Some(false) {
                let message = "hidden from lists, but sold: it is shown in lists, too";
                self.problem(&path, ProblemKind::Listing, message);
            }
            let fate = match (before, window.filter(|_| listing.published)) {
                // Nobody knows when it is to be sold: without a window it would be sold at once.
                _ if listing.published && window.is_none() => Fate::Unchanged,
                (None, None) => Fate::Unchanged,
                (Some(before), Some(window)) if before == window => Fate::Unchanged,
                (before, Some(window)) => {
                    let columns = window.columns();
                    PRODUCT_SALES_CHANNEL.attach(self.tx, self.at, &product.id, &channel, columns)?;
                    if before.is_none() { Fate::Created } else { Fate::Updated }
                }
                (Some(_), None) => {
                    PRODUCT_SALES_CHANNEL.detach(self.tx, self.at, &product.id, &channel)?;
                    Fate::Updated
                }
            };
            self.so_far.report.count("listings", fate);
        }
        Ok(())
    }

    /// The window of a listing; none, which is reported, if that cannot be told.
    fn window(&mut self, path: &Path, listing: &CatalogueListing) -> Option<Window> {
        let from = self.edge(path, AVAILABLE_FROM, listing.available_from.as_deref());
        let until = self.edge(path, AVAILABLE_UNTIL, listing.available_until.as_deref());
        let window = Window { from: from?, until: until? };
        let Some((from, until)) = window.from.zip(window.until).filter(|(from, until)| from >= until) else {
            return Some(window);
        };
        let message = format!("available_from {from} is not before available_until {until}; left as it was");
        self.problem(path, ProblemKind::Listing, message);
        None
    }

    /// The start or end of a window, if it has one. One that is no date is reported.
    fn edge(&mut self, path: &Path, field: &str, text: Option<&str>) -> Option<Option<Timestamp>> {
        let Some(text) = text else { return Some(None) };
        let edge = text.parse().ok();
        if edge.is_none() {
            let message = format!("{field} `{text}` is not a date; left as it was");
            self.problem(path, ProblemKind::Listing, message);
        }
        edge.map(Some)
    }
}

/// The options of a new product: those that its variants have values of, in the order of the first. Of each
/// as many values as it may have: variants with others are reported when they are created.
fn options_of<'a>(variants: impl Iterator<Item = &'a CatalogueVariant>) -> Vec<OptionInput> {
    let mut options: Vec<OptionInput> = Vec::new();
    let mut known: HashMap<String, (usize, HashSet<String>)> = HashMap::new();
    for (title, value) in variants.flat_map(variants::option_values) {
        let (n, values) = known.entry(title).or_insert_with_key(|title| {
            options.push(OptionInput { title: title.clone(), ..OptionInput::default() });
            (options.len() - 1, HashSet::new())
        });
        if values.len() < OPTION_VALUES_MAX && values.insert(value.clone()) {
            options[*n].values.push(value);
        }
    }
    options
}

/// Decodes HTML entities, and trims. A no-break space becomes a space.
fn plain_text(text: &str) -> String {
    html_escape::decode_html_entities(text).replace('\u{a0}', " ").trim().to_owned()
}

/// The live records of a kind by the handle in their metadata, the first of each. It reads the whole table:
/// for kinds with few records.
pub fn by_handle<T: Entity>(
    tx: &dyn Read,
    service: &Service<T>,
    metadata: impl Fn(&T) -> &Metadata,
) -> Result<HashMap<String, T>, StoreError> {
    let mut found = HashMap::new();
    service.table.scan(tx, None, Direction::Ascending, &mut |record| {
        if let Some(handle) = handle_in(metadata(&record)).map(str::to_owned) {
            found.entry(handle).or_insert(record);
        }
        Ok(Scan::Continue(()))
    })?;
    Ok(found)
}

fn with_handle(metadata: Metadata, handle: &str) -> Metadata {
    metadata.patched(Metadata(Some(Map::from_iter([("handle".to_owned(), json!(handle))]))))
}
