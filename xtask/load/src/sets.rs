//! Data sets: made by the import of the binary that is measured, and kept for the next run.

use std::{
    fs::{self, File},
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
    process::Command,
    rc::Rc,
};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::{
    generate_catalogue::{Shape, generate_catalogue},
    options::Options,
    scenarios::Set,
    server::{self, Server},
    turns::{Step, take_many},
    world::World,
};

/// Channels of the small and of the large set.
const N_CHANNELS: u64 = 5;
/// Channels of a product of the wide set.
const N_CHANNELS_EACH: u64 = 20;
/// Says that a data set is complete, and how it was made.
const MADE: &str = "made.json";

/// How a data set was made.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Made {
    pub(crate) products: usize,
    pub(crate) import_s: f64,
    pub(crate) per_s: f64,
    /// Largest resident memory of the import.
    pub(crate) peak_mb: f64,
    /// Size of the database behind it.
    pub(crate) file_mb: f64,
    pub(crate) orders: usize,
}

/// What the data set has, and how many orders.
fn shape(options: &Options, set: Set) -> (Shape, usize) {
    let of = |n_products, n_channels, channels_of_each| Shape {
        n_products: n_products as u64,
        n_channels,
        channels_of_each,
        seed: 1,
    };
    match set {
        Set::Small | Set::Written => (of(options.small, N_CHANNELS, None), options.small),
        Set::Large => (of(options.large, N_CHANNELS, None), options.orders),
        Set::Wide => {
            let each = options.wide_channels.min(N_CHANNELS_EACH);
            (of(options.wide, options.wide_channels, Some(each)), 0)
        }
    }
}

/// Is it left out, by its size?
pub(crate) fn is_left_out(options: &Options, set: Set) -> bool {
    shape(options, set).0.n_products == 0
}

/// The data folder of a set; it is made, unless it is there.
pub(crate) async fn ensure(
    options: &Options,
    label: &str,
    binary: &Path,
    set: Set,
) -> anyhow::Result<(PathBuf, Made)> {
    let (shape, n_orders) = shape(options, set);
    let of = if set == Set::Written { Set::Small } else { set };
    let name = format!("{of:?}-{}-{}", shape.n_products, shape.n_channels).to_lowercase();
    let folder = options.folder.join("data").join(label).join(name);
    let data = folder.join("data");
    let made = match fs::read(folder.join(MADE)) {
        Ok(made) if !options.fresh || set == Set::Written => serde_json::from_slice(&made)?,
        _ => {
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir_all(&folder)?;
            let made = make(&shape, n_orders, binary, &folder).await?;
            fs::write(folder.join(MADE), serde_json::to_vec_pretty(&made)?)?;
            made
        }
    };
    if set != Set::Written {
        return Ok((data, made));
    }
    let copy = options.folder.join("data").join(label).join("written");
    let _ = fs::remove_dir_all(&copy);
    copy_files(&data, &copy)?;
    Ok((copy, made))
}

async fn make(shape: &Shape, n_orders: usize, binary: &Path, folder: &Path) -> anyhow::Result<Made> {
    eprintln!("load: making {} with {}", folder.display(), binary.display());
    let (file, data) = (folder.join("catalogue.json"), folder.join("data"));
    let mut out = BufWriter::new(File::create(&file)?);
    generate_catalogue(&mut out, shape)?;
    out.flush()?;
    let mut import = Command::new(binary);
    import.arg("import").arg(&file).arg("--data").arg(&data);
    let import = server::run(import)?;
    fs::remove_file(&file)?;
    let file_mb = fs::metadata(data.join("atoll.redb")).map_or(0.0, |it| it.len() as f64 / 1e6);
    let server = Server::start(binary, &data, &[])?;
    let world = Rc::new(World::open(server.address).await?);
    take_many(&world, Step::Checkout, n_orders).await.context("orders cannot be placed")?;
    let orders = world.count("/admin/orders").await?;
    drop(server);
    let import_s = import.took.as_secs_f64();
    let products = shape.n_products as usize;
    let made = Made {
        products,
        import_s,
        per_s: products as f64 / import_s,
        peak_mb: import.peak_mb,
        file_mb,
        orders,
    };
    eprintln!("load: {made:?}");
    Ok(made)
}

/// Copies a folder with all that is in it.
pub(crate) fn copy_files(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_files(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
