//! What modules count themselves (`metric!`).

use std::fmt;

use atoll_kernel::Ctx;

use crate::{background::read, families::Families};

pub(crate) fn write(ctx: &Ctx, to: &mut Families<'_>) -> fmt::Result {
    for metric in &ctx.registry().metrics {
        let Some(series) = read(metric.name, (metric.read)(ctx)) else { continue };
        let series = series.into_iter().map(|(word, n)| ([(metric.label, word)], n));
        match metric.is_counter {
            true => to.counters(metric.name, metric.text, series)?,
            false => to.gauges(metric.name, metric.text, series.map(|(label, n)| (label, n as f64)))?,
        }
    }
    Ok(())
}
