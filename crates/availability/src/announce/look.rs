//! Looking at variants: what was announced of each, and what the decision says now.

use std::collections::{BTreeSet, HashMap, hash_map::Entry};

use atoll_kernel::{
    Decimal, Moment, Read, StoreError, Timestamp, Write, jobs::emit, serde_json::json, storefront::Reason,
};
use atoll_links::PRODUCT_SALES_CHANNEL;
use atoll_product::VARIANTS;

use super::{
    VARIANT_AVAILABLE, VARIANT_UNAVAILABLE,
    inputs::product_of_deleted,
    state::{Announced, Sellers},
};
use crate::{
    Seller, Shelf,
    listing::WHOLE,
    shelf::{Article, Decision},
};

/// The decision on one piece of variants in all channels, in one snapshot or transaction. Each channel has
/// one shelf, which reads the stock of an item once. No price is asked for: it depends on the region and on
/// the customer.
pub(super) struct Look<'a> {
    view: &'a dyn Read,
    now: Timestamp,
    /// Are sales channels switched on? Otherwise the shop as a whole is the only one that sells.
    has_channels: bool,
    sellers: Sellers,
    shelves: HashMap<String, Shelf<'a>>,
    n_decisions: usize,
}

/// What was announced of a variant, and what the decision says now.
pub(super) struct Looked {
    pub(super) variant: String,
    pub(super) product: Option<String>,
    pub(super) before: Announced,
    pub(super) now: Announced,
    /// The channels that were asked, with the first reason of those that do not sell it.
    pub(super) asked: Vec<(String, Option<Reason>)>,
}

impl<'a> Look<'a> {
    pub(super) fn new(view: &'a dyn Read, now: Timestamp, has_channels: bool) -> Result<Self, StoreError> {
        let sellers = Sellers::read(view)?;
        Ok(Look { view, now, has_channels, sellers, shelves: HashMap::new(), n_decisions: 0 })
    }

    /// Decisions that were made so far.
    pub(super) fn n_decisions(&self) -> usize {
        self.n_decisions
    }

    /// What was announced of a variant.
    pub(super) fn announced(&self, variant: &str) -> Result<Announced, StoreError> {
        self.sellers.announced(self.view, variant)
    }

    pub(super) fn into_sellers(self) -> Sellers {
        self.sellers
    }

    /// Looks at a variant in some channels, or in all that may sell it or are said to.
    pub(super) fn at(
        &mut self,
        variant: &str,
        only: Option<&BTreeSet<String>>,
    ) -> Result<Looked, StoreError> {
        let before = self.announced(variant)?;
        let record = VARIANTS.get(self.view, variant)?;
        let product = record.as_ref().map(|it| it.product_id.to_string());
        let article = record.map_or(Ok(None), |it| Article::of(self.view, it))?;
        let product = product.map_or_else(|| product_of_deleted(self.view, variant), |it| Ok(Some(it)))?;
        let asked = match only {
            Some(only) => only.clone(),
            None => &before.sellers | &self.may_sell(article.as_ref())?,
        };
        // What was not asked is as it was.
        let mut now = match only {
            Some(only) => Announced { sellers: &before.sellers - only, due: before.due },
            None => Announced::default(),
        };
        let mut answers = Vec::with_capacity(asked.len());
        for seller in asked {
            let (reason, changes_at) = self.decide(&seller, article.as_ref())?;
            now.due = now.due.into_iter().chain(changes_at).min();
            if reason.is_none() {
                now.sellers.insert(seller.clone());
            }
            answers.push((seller, reason));
        }
        Ok(Looked { variant: variant.to_owned(), product, before, now, asked: answers })
    }

    fn may_sell(&self, article: Option<&Article>) -> Result<BTreeSet<String>, StoreError> {
        Ok(match article {
            None => BTreeSet::new(),
            Some(_) if !self.has_channels => BTreeSet::from([WHOLE.to_owned()]),
            Some(it) => PRODUCT_SALES_CHANNEL.rights(self.view, &it.product.id)?.into_iter().collect(),
        })
    }

    /// Why this channel does not sell it, if it does not, and the next moment at which that may change.
    fn decide(
        &mut self,
        seller: &str,
        article: Option<&Article>,
    ) -> Result<(Option<Reason>, Option<Timestamp>), StoreError> {
        self.n_decisions += 1;
        if (seller == WHOLE) == self.has_channels {
            return Ok((Some(Reason::NoChannel), None));
        }
        let shelf = match self.shelves.entry(seller.to_owned()) {
            Entry::Occupied(shelf) => shelf.into_mut(),
            Entry::Vacant(place) => place.insert(match seller {
                WHOLE => Seller::everything(self.now).shelf(self.view)?,
                _ => Shelf::open(self.view, seller, self.now)?,
            }),
        };
        let Decision { verdict, changes_at, .. } = shelf.decide_at(self.now, article, Decimal::ONE, None)?;
        Ok((verdict.reasons.into_iter().next(), changes_at))
    }
}

impl Looked {
    /// Is there something to announce, or to remember?
    pub(super) fn is_news(&self) -> bool {
        self.before != self.now
    }

    /// The same, with this moment at which time alone may change what sells it.
    pub(super) fn with_due(self, due: Option<Timestamp>) -> Looked {
        Looked { now: Announced { due, ..self.now }, ..self }
    }

    /// The channels that do not sell it as announced.
    pub(super) fn changed(&self) -> impl Iterator<Item = &(String, Option<Reason>)> {
        self.asked.iter().filter(|(seller, reason)| self.before.sellers.contains(seller) != reason.is_none())
    }

    /// Writes an event for each channel that does not sell it as announced.
    pub(super) fn emit(&self, tx: &mut dyn Write, at: &Moment) -> Result<(), StoreError> {
        for (seller, reason) in self.changed() {
            let mut data = json!({
                "id": self.variant, "product_id": self.product, "at": at.now(),
                "sales_channel_id": Some(seller).filter(|it| *it != WHOLE),
            });
            let name = match reason {
                None => VARIANT_AVAILABLE,
                Some(reason) => {
                    data["reason"] = json!(reason.code());
                    VARIANT_UNAVAILABLE
                }
            };
            emit(tx, at, name, data)?;
        }
        Ok(())
    }
}
