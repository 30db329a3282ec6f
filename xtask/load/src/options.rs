//! The command line: which scenarios, sizes of the data sets, how long.

use std::path::PathBuf;

use clap::Parser;

/// Measures a served binary over loopback.
#[derive(Parser)]
#[command(name = "cargo xtask load", args_override_self = true)]
pub(crate) struct Options {
    /// Scenarios whose names hold one of these texts; default all.
    pub(crate) names: Vec<String>,
    /// Lists the scenarios, and measures nothing.
    #[arg(long)]
    pub(crate) list: bool,
    /// The binary to measure.
    #[arg(long)]
    pub(crate) binary: PathBuf,
    /// What it was built from, for the report.
    #[arg(long, default_value = "unknown")]
    pub(crate) commit: String,
    /// The binary of another commit, to be measured beside it.
    #[arg(long, requires = "beside")]
    pub(crate) beside_binary: Option<PathBuf>,
    /// That commit.
    #[arg(long)]
    pub(crate) beside: Option<String>,
    /// A setting of the server that is measured beside, as `ATOLL_NAME=value`; without `--beside` it is the
    /// same binary, so that the figures show what the setting costs.
    #[arg(long, value_parser = setting)]
    pub(crate) beside_env: Vec<(String, String)>,
    /// Where data sets are kept between runs.
    #[arg(long, default_value = "target/load")]
    pub(crate) folder: PathBuf,
    /// Products of the small set, in 5 channels; 0 leaves a set out.
    #[arg(long, default_value_t = 1_000)]
    pub(crate) small: usize,
    /// Products of the large set, in 5 channels.
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) large: usize,
    /// Products of the wide set, each in 20 of its channels, or in all if there are fewer.
    #[arg(long, default_value_t = 100_000)]
    pub(crate) wide: usize,
    /// Channels of the wide set.
    #[arg(long, default_value_t = 2_000)]
    pub(crate) wide_channels: u64,
    /// Orders of the large set; the small one has one for each product.
    #[arg(long, default_value_t = 100_000)]
    pub(crate) orders: usize,
    /// Seconds of each measurement, after a tenth of that which is not counted.
    #[arg(long, default_value_t = 3.0)]
    pub(crate) seconds: f64,
    /// Measurements of each scenario, of which the median (by CPU per request) is shown.
    #[arg(long, default_value_t = 1)]
    pub(crate) rounds: usize,
    /// Carts that are made ready before completing them is measured.
    #[arg(long, default_value_t = 4_000)]
    pub(crate) carts: usize,
    /// Products that are linked to a channel in one call, of at most 200,000.
    #[arg(long, default_value_t = 100_000)]
    pub(crate) links: usize,
    /// Most clients at a time, whatever a scenario says.
    #[arg(long, default_value_t = 64)]
    pub(crate) clients_max: usize,
    /// Clients that attack.
    #[arg(long, default_value_t = 64)]
    pub(crate) attackers: usize,
    /// Measures several hosts over a PostgreSQL in place of the scenarios: these numbers of them.
    #[arg(long, value_delimiter = ',', conflicts_with_all = ["names", "beside", "beside_env"])]
    pub(crate) hosts: Vec<usize>,
    /// Makes the data sets again.
    #[arg(long)]
    pub(crate) fresh: bool,
    /// Writes the figures to this file as JSON.
    #[arg(long)]
    pub(crate) save: Option<PathBuf>,
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("a setting is written `ATOLL_NAME=value`")?;
    Ok((name.to_owned(), value.to_owned()))
}
