//! The check that tax regions, rates and rules belong together.

use atoll_kernel::{StoreError, check, verify::Verify};

use crate::{TAX_RATE, TAX_RATE_RULE, TAX_RATE_RULES, TAX_RATES, TAX_REGION, TAX_REGIONS};

const BELONGS: &str = "tax.belongs";

check! { "tax.belongs": "A province belongs to its country, a rate to a region, and a rule to a rate of its region" => belongs }

fn belongs(it: &mut Verify<'_>) -> Result<(), StoreError> {
    it.rows(&TAX_REGIONS.table, |it, region| {
        let Some(parent_id) = &region.parent_id else { return Ok(()) };
        let parent = TAX_REGIONS.get(it.view, parent_id)?;
        if parent.is_none_or(|it| it.country_code != region.country_code || it.parent_id.is_some()) {
            it.wrong(BELONGS, TAX_REGION, &region.id, parent_id.to_string(), "the region of its country");
        }
        Ok(())
    })?;
    it.rows(&TAX_RATES.table, |it, rate| {
        if !TAX_REGIONS.table.exists(it.view, &rate.tax_region_id)? {
            it.wrong(BELONGS, TAX_RATE, &rate.id, rate.tax_region_id.clone(), "a tax region");
        }
        Ok(())
    })?;
    it.rows(&TAX_RATE_RULES.table, |it, rule| {
        let rate = TAX_RATES.get(it.view, &rule.tax_rate_id)?;
        if rate.is_none_or(|it| it.tax_region_id != rule.tax_region_id) {
            it.wrong(BELONGS, TAX_RATE_RULE, &rule.id, rule.tax_rate_id.clone(), "a rate of its region");
        }
        Ok(())
    })
}
