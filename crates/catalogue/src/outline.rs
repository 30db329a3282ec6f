//! The outline of a catalogue file: what a first reading of it finds out, so that the second one can take its
//! products one by one.

use std::{
    collections::HashSet,
    hash::{BuildHasher, RandomState},
    io,
};

use crate::{
    Catalogue, CatalogueProduct, CsvSettings, NotACatalogue, import::sku_of, read::Entry, source::Source,
};

/// What is known of a file whose records are all well-formed. Of products it has only what others refer to,
/// as hashes of 8 bytes.
pub struct Outline {
    /// Everything but the products.
    pub(crate) lists: Catalogue,
    /// The number of products; of a file about channels or stock, the number of its rows.
    pub n_products: usize,
    /// The number of variants that it has of them.
    pub(crate) n_variants: usize,
    pub(crate) source: Source,
    hasher: RandomState,
    /// Product handles that occur more than once.
    repeated: HashSet<u64>,
    /// SKUs of the parts of kits.
    parts: HashSet<u64>,
    /// Those of them that variants of the file have.
    parts_in_file: HashSet<u64>,
}

impl Outline {
    /// Reads a catalogue file of JSON, and checks that it is one.
    pub fn read(file: impl io::Read) -> Result<Outline, NotACatalogue> {
        Outline::of_source(file, Source::Json, &mut |_| ())
    }

    /// Reads a file of either kind, recognised by its first bytes, and checks that it is a catalogue. `name`
    /// is that of the file in reports; `settings` are for CSV.
    pub fn read_any(
        mut file: impl io::Read + io::Seek,
        name: &str,
        settings: CsvSettings,
    ) -> Result<Outline, NotACatalogue> {
        let source = Source::of(&mut file, name, settings)?;
        Outline::of_source(file, source, &mut |_| ())
    }

    /// As [`Outline::read_any`], of CSV alone. `visit` is called with each product.
    pub(crate) fn read_csv(
        mut file: impl io::Read + io::Seek,
        name: &str,
        settings: CsvSettings,
        visit: &mut dyn FnMut(&CatalogueProduct),
    ) -> Result<Outline, NotACatalogue> {
        let source = Source::of_csv(&mut file, name, settings)?;
        Outline::of_source(file, source, visit)
    }

    fn of_source(
        file: impl io::Read,
        source: Source,
        visit: &mut dyn FnMut(&CatalogueProduct),
    ) -> Result<Outline, NotACatalogue> {
        let (mut outline, mut lists) = (Outlining::default(), Catalogue::default());
        source.read(file, &mut |entry| {
            match entry {
                Entry::Product(product) => {
                    outline.add(&product);
                    visit(&product);
                }
                entry => lists.add(entry),
            }
            Ok(())
        })?;
        Ok(Outline { source, ..outline.finish(lists) })
    }

    /// The outline of a catalogue in memory.
    pub(crate) fn of(catalogue: &Catalogue) -> Outline {
        let mut outline = Outlining::default();
        catalogue.products.iter().for_each(|it| outline.add(it));
        outline.finish(Catalogue { products: Vec::new(), ..catalogue.clone() })
    }

    /// May there be several products with this handle? If not, there is one; if so, the handles themselves
    /// must be compared.
    pub(crate) fn may_repeat(&self, handle: &str) -> bool {
        self.repeated.contains(&self.hasher.hash_one(handle))
    }

    /// Does a kit need a variant with this SKU?
    pub(crate) fn is_part(&self, sku: &str) -> bool {
        self.parts.contains(&self.hasher.hash_one(sku))
    }

    /// Does a variant of the file have this SKU, which is that of a part?
    pub(crate) fn has_part(&self, sku: &str) -> bool {
        self.parts_in_file.contains(&self.hasher.hash_one(sku))
    }
}

/// An outline while its file is read.
#[derive(Default)]
struct Outlining {
    n_variants: usize,
    hasher: RandomState,
    handles: Vec<u64>,
    skus: Vec<u64>,
    parts: HashSet<u64>,
}

impl Outlining {
    fn add(&mut self, product: &CatalogueProduct) {
        self.handles.push(self.hasher.hash_one(product.handle.as_str()));
        self.n_variants += product.variants.len();
        for variant in &product.variants {
            self.skus.extend(sku_of(variant).map(|sku| self.hasher.hash_one(sku)));
            self.parts.extend(variant.parts.iter().map(|it| self.hasher.hash_one(it.sku.as_str())));
        }
    }

    fn finish(mut self, lists: Catalogue) -> Outline {
        let n_products = self.handles.len();
        self.handles.sort_unstable();
        let repeated = self.handles.windows(2).filter(|it| it[0] == it[1]).map(|it| it[0]).collect();
        let parts_in_file = self.skus.into_iter().filter(|it| self.parts.contains(it)).collect();
        Outline {
            lists,
            n_products,
            n_variants: self.n_variants,
            source: Source::Json,
            hasher: self.hasher,
            repeated,
            parts: self.parts,
            parts_in_file,
        }
    }
}
