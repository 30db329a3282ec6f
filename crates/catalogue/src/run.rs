//! The import of a file of any size: a thread reads it, and its products are written in chunks, each in a
//! transaction of its own. One that was interrupted is taken up again by the next one.

use std::{
    fs::File,
    io::{self, Seek as _},
    thread,
};

use atoll_kernel::{Actor, Ctx, Fault, Moment, Write};
use tokio::sync::{mpsc, oneshot};

use crate::{
    CatalogueProduct, NotACatalogue, Outline, Report,
    chunk::Chunk,
    import::SoFar,
    read::{Entry, Gone},
    source::{Source, all_products},
};

/// Chunks that are read ahead of the one that is written.
const CHUNKS_AHEAD: usize = 2;

/// Products of an import in one transaction, which holds all its changes in memory: some 40 kB for each
/// variant.
pub const ATOMIC_PRODUCTS_MAX: usize = 10_000;

/// Variants of them.
pub const ATOMIC_VARIANTS_MAX: usize = 40_000;

/// Why an import ended early. What was committed stays.
#[derive(Debug, thiserror::Error)]
pub enum ImportFailed {
    /// The file has more products than one transaction takes.
    #[error("one transaction takes at most {ATOMIC_PRODUCTS_MAX} products, and the file has {0}")]
    TooManyProducts(usize),
    /// The file has more variants than one transaction takes.
    #[error("one transaction takes at most {ATOMIC_VARIANTS_MAX} variants, and the file has {0}")]
    TooManyVariants(usize),
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

/// How much of a file is written in one transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportMode {
    /// Chunks, after each of which the shop is consistent.
    Chunks,
    /// All of it.
    Atomic,
    /// Nothing: each chunk is taken back when it is written, so a chunk does not see those before it. For
    /// files of rows, whose products are independent of each other.
    Trial,
}

/// Imports a file that was read once, for its outline. `progress` is called with the number of products that
/// are done, after each chunk.
pub async fn import_file(
    ctx: &Ctx,
    mut file: File,
    outline: Outline,
    mode: ImportMode,
    progress: impl Fn(usize),
) -> Result<Report, ImportFailed> {
    file.rewind()?;
    if mode == ImportMode::Atomic {
        if outline.n_products > ATOMIC_PRODUCTS_MAX {
            return Err(ImportFailed::TooManyProducts(outline.n_products));
        }
        if outline.n_variants > ATOMIC_VARIANTS_MAX {
            return Err(ImportFailed::TooManyVariants(outline.n_variants));
        }
        let products = all_products(&outline.source, file)?;
        let write = move |so_far: &mut SoFar, tx: &mut dyn Write, at: &Moment| {
            so_far.lists(tx, at)?;
            products.iter().try_for_each(|product| so_far.product(tx, at, product))
        };
        return Ok(step(ctx, SoFar::new(outline), mode, write).await?.report);
    }
    let source = outline.source.clone();
    let mut so_far = step(ctx, SoFar::new(outline), mode, SoFar::lists).await?;
    let (chunks, mut read_ahead) = mpsc::channel(CHUNKS_AHEAD);
    let reader = thread::Builder::new()
        .name("atoll-import".into())
        .spawn(move || read_chunks(file, &source, &chunks))?;
    while let Some(chunk) = read_ahead.recv().await {
        let write = move |so_far: &mut SoFar, tx: &mut dyn Write, at: &Moment| {
            chunk.iter().try_for_each(|product| so_far.product(tx, at, product))
        };
        so_far = step(ctx, so_far, mode, write).await?;
        progress(so_far.n_products);
    }
    // Its panic is one of this import.
    reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    Ok(so_far.report)
}

/// One transaction of an import; that of a trial is taken back.
async fn step(
    ctx: &Ctx,
    mut so_far: SoFar,
    mode: ImportMode,
    write: impl FnOnce(&mut SoFar, &mut dyn Write, &Moment) -> Result<(), Fault> + Send + 'static,
) -> Result<SoFar, Fault> {
    let (done, outcome) = oneshot::channel();
    let run = move |tx: &mut dyn Write, at: &Moment| {
        write(&mut so_far, tx, at)?;
        // The import waits for it below.
        let _ = done.send(so_far);
        match mode {
            ImportMode::Trial => Err(Fault::invalid("a trial writes nothing")),
            _ => Ok(()),
        }
    };
    let written = ctx.write(Actor::System, run).await;
    match (outcome.await, written) {
        (Ok(so_far), Ok(_)) => Ok(so_far),
        (Ok(so_far), Err(_)) if mode == ImportMode::Trial => Ok(so_far),
        (_, Err(fault)) => Err(fault),
        (Err(gone), Ok(_)) => Err(Fault::unexpected(gone)),
    }
}

/// Reads the products of a file, and sends them in chunks, for as long as they are received.
fn read_chunks(
    file: File,
    source: &Source,
    chunks: &mpsc::Sender<Vec<CatalogueProduct>>,
) -> Result<(), NotACatalogue> {
    let mut chunk = Chunk::default();
    source.read_products(file, &mut |entry| {
        let Entry::Product(product) = entry else { return Ok(()) };
        match chunk.add(*product) {
            Some(full) => chunks.blocking_send(full).map_err(|_| Gone),
            None => Ok(()),
        }
    })?;
    if !chunk.products.is_empty() {
        // Without a receiver the import has ended already.
        let _ = chunks.blocking_send(chunk.products);
    }
    Ok(())
}
