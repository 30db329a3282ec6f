//! Consistency check of availability events: what was announced is what the decision says.

use atoll_kernel::{
    StoreError, check,
    data::{Direction, Scan},
    verify::{Verify, readable},
};
use atoll_product::VARIANTS;
use atoll_storage::Span;

use super::{
    inputs::TOUCHED,
    look::Look,
    state::{ANNOUNCED, Announced, DUE, Progress, due, due_key, scan_due},
};

// While something is noted, or a moment has passed, what was announced may differ.
check! {
    "availability.announced": "What was announced is what the decision says, once nothing waits to be announced"
        => announced
}

/// Variants and moments that should not be there, of which findings are made; others show after these.
const N_OTHERS_MAX: usize = 1_000;

fn announced(it: &mut Verify<'_>) -> Result<(), StoreError> {
    let view = it.view;
    let Some(progress) = Progress::read(view)? else { return Ok(()) };
    let now = it.now.max(progress.looked_at);
    let is_noted = view.count_keys(&Span::prefix(&view.prefix(TOUCHED.space())), 1)? > 0;
    if is_noted || progress.looked_at.is_ahead_of(it.now) || !due(view, now, 1)?.is_empty() {
        return Ok(());
    }
    let mut look = Look::new(view, now, progress.has_channels)?;
    it.rows(&VARIANTS.table, |it, variant| compare(it, &mut look, &variant.id))?;
    let mut others = Vec::new();
    view.scan(&Span::prefix(&view.prefix(ANNOUNCED)), Direction::Ascending, &mut |key, _| {
        let id = String::from_utf8_lossy(&key[2..]);
        if !VARIANTS.table.exists(view, &id)? {
            others.push(id.into_owned());
        }
        Ok(if others.len() < N_OTHERS_MAX { Scan::Continue(()) } else { Scan::Break(()) })
    })?;
    others.iter().try_for_each(|id| compare(it, &mut look, id))?;
    moments(it, &look)
}

/// Compares what was announced of a variant with the decision.
fn compare(it: &mut Verify<'_>, look: &mut Look<'_>, variant: &str) -> Result<(), StoreError> {
    it.findings.checked("announced variants")?;
    let Some(looked) = readable(look.at(variant, None))? else { return Ok(()) };
    let (before, now) = (looked.before, looked.now);
    let text = |it: &Announced| format!("sold in {:?}", it.sellers);
    if before.sellers != now.sellers {
        it.wrong("availability.announced", ANNOUNCED, variant, text(&before), text(&now));
    }
    // An earlier moment costs a look that finds nothing; a later one would be an event too late.
    let is_late = now.due.is_some_and(|due| before.due.is_none_or(|it| it > due));
    let is_missing = match before.due {
        Some(due) => it.view.get(&due_key(it.view, due, variant))?.is_none(),
        None => false,
    };
    if is_late || is_missing {
        let text = |it: &Announced| format!("changes at {:?}", it.due.map(|it| it.to_string()));
        it.wrong("availability.moment", DUE, variant, text(&before), text(&now));
    }
    Ok(())
}

/// Each moment in the index is that of its variant.
fn moments(it: &mut Verify<'_>, look: &Look<'_>) -> Result<(), StoreError> {
    let mut all = Vec::new();
    scan_due(it.view, &mut |at, variant| {
        all.push((at, variant));
        Scan::Continue(())
    })?;
    for (at, variant) in all {
        it.findings.checked("moments of availability")?;
        let announced = readable(look.announced(&variant))?;
        if announced.is_some_and(|it| it.due != Some(at)) {
            it.wrong("availability.moment", DUE, &variant, at.to_string(), "the moment of the variant");
        }
    }
    Ok(())
}
