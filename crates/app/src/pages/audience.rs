//! Whom a price list or a promotion is for: customer groups, regions and sales channels, as boxes of a form.

use atoll_kernel::Fault;
use atoll_pages::{Field, Form, PageCall};

use super::named::{CHANNELS, CHOICES_MAX, CUSTOMER_GROUPS, NamedList, REGIONS, choices_with, options};

/// A kind of audience, of which nothing chosen is everybody.
pub(super) struct Audience {
    /// The name of the field, and the label.
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    records: NamedList,
}

pub(super) const GROUPS: Audience =
    Audience { name: "groups", label: "Customer groups", records: CUSTOMER_GROUPS };
pub(super) const OF_REGIONS: Audience = Audience { name: "regions", label: "Regions", records: REGIONS };
pub(super) const OF_CHANNELS: Audience =
    Audience { name: "channels", label: "Sales channels", records: CHANNELS };

/// What stands above the boxes.
pub(super) const HINT: &str = "Only for these; where nothing is ticked, for everybody.";

/// The boxes of audiences, each with the attribute of its rule; `of` has the values that it has.
pub(super) async fn boxes(
    call: &PageCall,
    audiences: &[(&'static str, Audience)],
    of: impl Fn(&str) -> Vec<String>,
) -> Result<Vec<Field<'static>>, Fault> {
    let mut boxes = Vec::new();
    for (attribute, audience) in audiences {
        let ticked = of(attribute);
        let records = choices_with(call, audience.records, &ticked).await?;
        if !records.is_empty() {
            boxes.push(Field::boxes(audience.name, audience.label, options(&records), ticked));
        }
    }
    Ok(boxes)
}

/// What becomes of an audience by a form. Of `before`, what was deleted since goes, as far as that is known:
/// of so many as a form offers.
pub(super) async fn chosen(
    call: &PageCall,
    form: &Form,
    audience: &Audience,
    mut before: Vec<String>,
) -> Result<Vec<String>, Fault> {
    if !before.is_empty() && before.len() <= CHOICES_MAX {
        let there = choices_with(call, audience.records, &before).await?;
        before.retain(|id| there.iter().any(|it| it.id == *id));
    }
    let change = form.change(audience.name);
    Ok(change.of(before.iter().map(String::as_str)).into_iter().map(str::to_owned).collect())
}
