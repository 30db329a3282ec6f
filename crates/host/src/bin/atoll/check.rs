//! `atoll check`

use std::io::Write as _;

pub(crate) fn run() -> anyhow::Result<()> {
    write!(std::io::stdout().lock(), "{}", atoll_host::registry()?)?;
    Ok(())
}
