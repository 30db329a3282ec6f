//! Which products of an import are written in one transaction: a bounded amount, however many variants and
//! texts each has.

use crate::{CatalogueProduct, CatalogueVariant, Detail};

/// Products per transaction: enough that the flush to disk and the pages that every transaction writes are
/// shared by many.
const CHUNK_PRODUCTS: usize = 500;

/// Their variants. The changes of each take some 40 kB of memory, and checkouts wait while they are written.
const CHUNK_VARIANTS: usize = 2_000;

/// Bytes that they take in memory, some of which are read ahead.
const CHUNK_BYTES: usize = 4 * 1024 * 1024;

/// Products that are to be written in one transaction.
#[derive(Default)]
pub(crate) struct Chunk {
    pub(crate) products: Vec<CatalogueProduct>,
    n_variants: usize,
    n_bytes: usize,
}

impl Chunk {
    /// Adds a product. It begins a new chunk if this one would become too large with it, and is alone in it
    /// if it is too large itself: the products of the full one are returned.
    pub(crate) fn add(&mut self, product: CatalogueProduct) -> Option<Vec<CatalogueProduct>> {
        let (n_variants, n_bytes) = (product.variants.len(), product.n_bytes());
        let is_full = self.products.len() >= CHUNK_PRODUCTS
            || self.n_variants + n_variants > CHUNK_VARIANTS
            || self.n_bytes + n_bytes > CHUNK_BYTES;
        let full = (is_full && !self.products.is_empty()).then(|| std::mem::take(self).products);
        self.products.push(product);
        self.n_variants += n_variants;
        self.n_bytes += n_bytes;
        full
    }
}

/// Bytes of a text in memory, with what holds it.
fn of_text(text: &str) -> usize {
    size_of::<String>() + text.len()
}

fn of_texts<'a>(texts: impl IntoIterator<Item = &'a String>) -> usize {
    texts.into_iter().map(|it| of_text(it)).sum()
}

fn of_details<'a>(details: impl IntoIterator<Item = (&'a Detail, &'a String)>) -> usize {
    details.into_iter().map(|(_, text)| of_text(text)).sum()
}

impl CatalogueProduct {
    /// About how many bytes it takes in memory.
    pub(crate) fn n_bytes(&self) -> usize {
        let rows = &self.rows;
        let names = [Some(&self.handle), Some(&self.title), self.description.as_ref(), self.r#type.as_ref()];
        let listings = self.listings.iter().map(|it| size_of_val(it) + it.channel.len()).sum::<usize>();
        size_of_val(self)
            + of_texts(names.into_iter().flatten())
            + of_texts(&self.collections)
            + of_texts(&self.images)
            + of_texts(rows.tags.iter().chain(&rows.categories).flatten())
            + of_details(&rows.details)
            + rows.notes.n_bytes()
            + listings
            + self.variants.iter().map(CatalogueVariant::n_bytes).sum::<usize>()
    }
}

impl CatalogueVariant {
    fn n_bytes(&self) -> usize {
        size_of_val(self)
            + of_texts([Some(&self.title), self.sku.as_ref()].into_iter().flatten())
            + self.rows.options.iter().map(|(name, value)| of_text(name) + of_text(value)).sum::<usize>()
            + of_details(&self.rows.details)
            + self.prices.iter().map(|it| size_of_val(it) + it.amount.len()).sum::<usize>()
            + self.stock.iter().map(|it| size_of_val(it) + it.location.len()).sum::<usize>()
            + self.parts.iter().map(|it| size_of_val(it) + it.sku.len()).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A product of so many variants, with a description of so many bytes.
    fn product(n_variants: usize, n_bytes: usize) -> CatalogueProduct {
        CatalogueProduct {
            description: Some("x".repeat(n_bytes)),
            variants: vec![CatalogueVariant::default(); n_variants],
            ..CatalogueProduct::default()
        }
    }

    /// How many products are in each chunk of these.
    fn chunks(products: impl IntoIterator<Item = CatalogueProduct>) -> Vec<usize> {
        let mut chunk = Chunk::default();
        let mut chunks: Vec<usize> =
            products.into_iter().filter_map(|it| chunk.add(it)).map(|it| it.len()).collect();
        chunks.push(chunk.products.len());
        chunks
    }

    #[test]
    fn a_chunk_is_bounded_by_products_variants_and_bytes() {
        assert_eq!(chunks((0..1_001).map(|_| product(1, 10))), [500, 500, 1]);
        assert_eq!(chunks((0..7).map(|_| product(1_000, 10))), [2, 2, 2, 1]);
        assert_eq!(chunks((0..5).map(|_| product(1, CHUNK_BYTES / 2 - 10_000))), [2, 2, 1]);
    }

    #[test]
    fn a_product_that_is_too_large_is_alone() {
        let large = || product(CHUNK_VARIANTS + 1, 10);
        assert_eq!(chunks([product(1, 10), large(), large(), product(1, 10)]), [1, 1, 1, 1]);
        let long = || product(1, CHUNK_BYTES + 1);
        assert_eq!(chunks([long(), product(1, 10), product(1, 10)]), [1, 2]);
    }
}
