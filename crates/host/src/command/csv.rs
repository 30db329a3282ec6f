//! `atoll csv`: exports products, listings, stock or orders of a stopped shop as CSV.

use std::{fs, io::Write as _, path::PathBuf};

use anyhow::Context as _;
use atoll_catalogue::{Export, OrderFilter, Reading, Vocabulary};
use atoll_kernel::Timestamp;
use atoll_storage::files::create_private;
use clap::{Args, Subcommand, ValueEnum};
use indicatif::ProgressBar;

use crate::{Host, command::DataArgs, registry};

/// What is exported. `atoll import` reads all of it but orders.
#[derive(Subcommand)]
pub(crate) enum Csv {
    /// Products with their variants, prices and stock.
    Products {
        /// Whose columns they have.
        #[arg(long = "as", default_value = "medusa")]
        columns: Columns,
        /// The currency of Shopify's price column; default that of the store.
        #[arg(long, value_name = "CODE")]
        currency: Option<String>,
        /// Id of the location of Shopify's quantity column; default that of the store.
        #[arg(long)]
        location: Option<String>,
        #[command(flatten)]
        target: Target,
    },
    /// Which channel sells which product, when, and which variants it leaves out.
    Listings(Target),
    /// What is in stock of each SKU at each location.
    Stock(Target),
    /// Orders, a row per line item.
    Orders {
        /// Id of a sales channel; default all.
        #[arg(long)]
        channel: Option<String>,
        /// Placed at this time or later: `2026-01-01`, or with a time.
        #[arg(long)]
        from: Option<Timestamp>,
        /// Placed before this time.
        #[arg(long)]
        until: Option<Timestamp>,
        #[command(flatten)]
        target: Target,
    },
}

/// Where it is written, and of which data.
#[derive(Args)]
pub(crate) struct Target {
    /// A new file.
    file: PathBuf,
    #[command(flatten)]
    data: DataArgs,
}

/// Whose columns a file has.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Columns {
    Medusa,
    Shopify,
    ShopifyLegacy,
}

impl Csv {
    pub(crate) fn run(self, host: &Host) -> anyhow::Result<()> {
        let (export, Target { file, data }) = self.parts();
        let (data, settings) = data.open(host)?;
        let (_database, view) = data.look(&registry()?.spaces(), settings.cache_bytes).context(
            "the data of a shop that runs is exported by `POST /admin/products/export` and the like",
        )?;
        // Orders hold the addresses of customers.
        let mut to =
            create_private(&file).with_context(|| format!("failed to create `{}`", file.display()))?;
        let bar = ProgressBar::new(export.n_records(&view)?);
        let progress = |n_done| {
            bar.set_position(n_done);
            Ok(())
        };
        let reading = Reading { view: &|| view.clone(), progress: &progress };
        let done = export.write(&reading, &mut to);
        bar.finish_and_clear();
        if let Err(error) = done.and_then(|()| Ok(to.sync_all()?)) {
            let _ = fs::remove_file(&file);
            return Err(error).context("nothing was exported");
        }
        writeln!(std::io::stdout(), "exported to `{}`", file.display())?;
        Ok(())
    }

    fn parts(self) -> (Export, Target) {
        match self {
            Csv::Products { columns, currency, location, target } => {
                let vocabulary = match columns {
                    Columns::Medusa => Vocabulary::Medusa,
                    Columns::Shopify => Vocabulary::Shopify,
                    Columns::ShopifyLegacy => Vocabulary::ShopifyLegacy,
                };
                (Export::Products { vocabulary, currency, location, ids: None }, target)
            }
            Csv::Listings(target) => (Export::Listings, target),
            Csv::Stock(target) => (Export::Stock, target),
            Csv::Orders { channel, from, until, target } => {
                (Export::Orders(OrderFilter { channel, from, until, ids: None }), target)
            }
        }
    }
}
