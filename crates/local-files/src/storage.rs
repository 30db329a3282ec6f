//! Files in a folder: written to a temporary file, flushed to disk, and renamed when they are whole.

use std::{
    fs,
    future::Future,
    io,
    path::{Path, PathBuf},
    pin::Pin,
    sync::Mutex,
};

use atoll_kernel::{Ctx, Fault, http::Bytes, provider};
use atoll_providers::{Content, FileStorage, Working, is_key, origin_of};
use tempfile::NamedTempFile;
use tokio::{
    fs::File,
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    task::spawn_blocking,
};

/// The folder in the folder of files in which they arrive. Its name is no key, so nothing of it is served.
const ARRIVING: &str = ".arriving";

struct LocalFiles;

provider! { dyn FileStorage: "local" => LocalFiles }

impl FileStorage for LocalFiles {
    fn put(&self, ctx: Ctx, key: String, content: Box<dyn Content>) -> Working<String> {
        Box::pin(put(ctx, key, content))
    }

    fn url(&self, ctx: Ctx, key: String) -> Working<Option<String>> {
        Box::pin(async move {
            let Some(path) = path_of(&ctx, &key) else { return Ok(None) };
            let is_there = tokio::fs::try_exists(path).await.map_err(Fault::unexpected)?;
            Ok(is_there.then(|| url_of(&ctx, &key)))
        })
    }

    fn read(&self, ctx: Ctx, key: String) -> Working<Option<Box<dyn Content>>> {
        Box::pin(async move {
            let Some(path) = path_of(&ctx, &key) else { return Ok(None) };
            match File::open(path).await {
                Ok(file) => Ok(Some(Box::new(Stored(file)) as Box<dyn Content>)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(Fault::unexpected(error)),
            }
        })
    }

    fn delete(&self, ctx: Ctx, key: String) -> Working<()> {
        Box::pin(async move {
            let Some(path) = path_of(&ctx, &key) else { return Ok(()) };
            match tokio::fs::remove_file(path).await {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Fault::unexpected(error)),
                _ => Ok(()),
            }
        })
    }

    fn is_shared(&self) -> bool {
        false
    }

    fn origin(&self, ctx: &Ctx) -> Option<String> {
        Some(origin_of(&ctx.config().files.url))
    }
}

/// The path of a file in the folder; none if the key is none.
pub(crate) fn path_of(ctx: &Ctx, key: &str) -> Option<PathBuf> {
    is_key(key).then(|| ctx.config().files.folder.join(key))
}

fn url_of(ctx: &Ctx, key: &str) -> String {
    format!("{}/{key}", ctx.config().files.url)
}

async fn put(ctx: Ctx, key: String, mut content: Box<dyn Content>) -> Result<String, Fault> {
    let path = path_of(&ctx, &key).ok_or_else(|| Fault::invalid(format!("`{key}` is no key of a file")))?;
    ctx.room().check()?;
    let begin = ctx.clone();
    // It is removed when it is dropped: when the content breaks off, or the request is given up.
    let arriving = blocking(move || begin.memory::<Folder>().begin(&begin.config().files.folder)).await?;
    let mut file = File::from_std(arriving.as_file().try_clone().map_err(Fault::unexpected)?);
    while let Some(chunk) = content.chunk().await? {
        file.write_all(&chunk).await.map_err(Fault::unexpected)?;
        // Uploads that are arriving may be larger than what is left.
        ctx.room().check()?;
    }
    file.flush().await.map_err(Fault::unexpected)?;
    blocking(move || {
        arriving.as_file().sync_all()?;
        arriving.persist_noclobber(&path)?;
        // The name is on disk when the folder is.
        fs::File::open(path.parent().unwrap_or(&path))?.sync_all()
    })
    .await?;
    Ok(url_of(&ctx, &key))
}

/// Bytes of a file that are read at once.
const CHUNK_BYTES: usize = 64 * 1024;

/// A file of the folder, as content.
struct Stored(File);

impl Content for Stored {
    fn chunk(&mut self) -> Pin<Box<dyn Future<Output = Result<Option<Bytes>, Fault>> + Send + '_>> {
        Box::pin(async {
            let mut chunk = Vec::with_capacity(CHUNK_BYTES);
            self.0.read_buf(&mut chunk).await.map_err(Fault::unexpected)?;
            Ok((!chunk.is_empty()).then(|| chunk.into()))
        })
    }
}

/// Runs what waits for the disk in a thread of its own.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Fault> {
    spawn_blocking(work).await.map_err(Fault::unexpected)?.map_err(Fault::unexpected)
}

/// Whether this process has prepared the folder.
#[derive(Default)]
struct Folder(Mutex<bool>);

impl Folder {
    /// A temporary file in the folder. The first one creates it, and removes what an earlier process that was
    /// killed has left there.
    fn begin(&self, folder: &Path) -> io::Result<NamedTempFile> {
        let arriving = folder.join(ARRIVING);
        let mut is_ready = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if !*is_ready {
            fs::create_dir_all(&arriving)?;
            for left in fs::read_dir(&arriving)? {
                fs::remove_file(left?.path())?;
            }
            *is_ready = true;
        }
        NamedTempFile::new_in(arriving)
    }
}
