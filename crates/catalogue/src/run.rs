//! The import of a file of any size: a thread reads it, and its products are written in chunks, each in a
//! transaction of its own. One that was interrupted is taken up again by the next one.

use std::{
    fs::File,
    io::{self, Seek as _},
    thread,
};

use atoll_kernel::{Actor, Ctx, Fault, Moment, Write};
use tokio::sync::mpsc;

use crate::{
    Catalogue, CatalogueProduct, NotACatalogue, Outline, Report, import,
    import::SoFar,
    read::{Entry, Gone, read},
};

/// Products per transaction: enough that the flush to disk and the pages that every transaction writes are
/// shared by many, few enough that their changes take some 20 MB of memory.
const CHUNK_PRODUCTS: usize = 500;

/// Chunks that are read ahead of the one that is written.
const CHUNKS_AHEAD: usize = 2;

/// Products of an import in one transaction, which holds all its changes in memory: some 40 kB each.
pub const ATOMIC_PRODUCTS_MAX: usize = 10_000;

/// Why an import ended early. What was committed stays.
#[derive(Debug, thiserror::Error)]
pub enum ImportFailed {
    /// The file has more products than one transaction takes.
    #[error("one transaction takes at most {ATOMIC_PRODUCTS_MAX} products, and the file has {0}")]
    TooLarge(usize),
    /// The file cannot be read a second time.
    #[error("the file cannot be read again: {0}")]
    File(#[from] io::Error),
    /// The file was changed after it was checked.
    #[error("the file was changed while it was imported: {0}")]
    Changed(#[from] NotACatalogue),
    /// A transaction failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Imports a file that was read once, for its outline: in one transaction, or in chunks, after each of which
/// `progress` is called with the number of products that are done.
pub async fn import_file(
    ctx: &Ctx,
    mut file: File,
    outline: Outline,
    is_atomic: bool,
    progress: &dyn Fn(usize),
) -> Result<Report, ImportFailed> {
    file.rewind()?;
    if is_atomic {
        if outline.n_products > ATOMIC_PRODUCTS_MAX {
            return Err(ImportFailed::TooLarge(outline.n_products));
        }
        let catalogue = Catalogue::read(file)?;
        let run = move |tx: &mut dyn Write, at: &Moment| import(tx, at, &catalogue);
        return Ok(ctx.write(Actor::System, run).await?.0);
    }
    let mut so_far = step(ctx, SoFar::new(outline), SoFar::lists).await?;
    let (chunks, mut read_ahead) = mpsc::channel(CHUNKS_AHEAD);
    let reader =
        thread::Builder::new().name("atoll-import".into()).spawn(move || read_chunks(file, &chunks))?;
    while let Some(chunk) = read_ahead.recv().await {
        let write = move |so_far: &mut SoFar, tx: &mut dyn Write, at: &Moment| {
            chunk.iter().try_for_each(|product| so_far.product(tx, at, product))
        };
        so_far = step(ctx, so_far, write).await?;
        progress(so_far.n_products);
    }
    // Its panic is one of this import.
    reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    Ok(so_far.report)
}

/// One transaction of an import.
async fn step(
    ctx: &Ctx,
    mut so_far: SoFar,
    write: impl FnOnce(&mut SoFar, &mut dyn Write, &Moment) -> Result<(), Fault> + Send + 'static,
) -> Result<SoFar, Fault> {
    let run = move |tx: &mut dyn Write, at: &Moment| {
        write(&mut so_far, tx, at)?;
        Ok(so_far)
    };
    Ok(ctx.write(Actor::System, run).await?.0)
}

/// Reads the products of a file, and sends them in chunks, for as long as they are received.
fn read_chunks(file: File, chunks: &mpsc::Sender<Vec<CatalogueProduct>>) -> Result<(), NotACatalogue> {
    let mut chunk = Vec::new();
    read(file, true, &mut |entry| {
        if let Entry::Product(product) = entry {
            chunk.push(product);
        }
        if chunk.len() < CHUNK_PRODUCTS {
            return Ok(());
        }
        chunks.blocking_send(std::mem::take(&mut chunk)).map_err(|_| Gone)
    })?;
    if !chunk.is_empty() {
        // Without a receiver the import has ended already.
        let _ = chunks.blocking_send(chunk);
    }
    Ok(())
}
