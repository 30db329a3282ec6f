//! The decision for many variants in many channels: a cell for each, with the first reason against it, and
//! the next moment at which the answer may change.

use atoll_kernel::{
    Decimal, Read, StoreError, Timestamp,
    serde_json::{Value, json},
};
use atoll_pricing::PriceContext;
use atoll_product::ProductVariant;
use atoll_sales_channel::SalesChannel;

use crate::{
    CHANNEL, Shelf,
    explain::Case,
    shelf::{Article, Decision},
};

/// What is asked of each variant in each channel.
#[derive(Clone)]
pub struct Wanted {
    /// The quantity, in pieces.
    pub quantity: Decimal,
    /// The time of the sale.
    pub at: Timestamp,
    /// The currency and region of the price, without the channel; `None` if no price is required.
    pub price: Option<PriceContext>,
}

impl Wanted {
    /// The same at another time.
    pub fn at(self, at: Timestamp) -> Wanted {
        Wanted { at, ..self }
    }
}

/// The columns of a table of variants in channels. Each channel has one shelf, which reads the stock of an
/// item once.
pub struct Matrix<'a> {
    view: &'a dyn Read,
    wanted: &'a Wanted,
    columns: Vec<Column<'a>>,
    changes_at: Option<Timestamp>,
}

struct Column<'a> {
    channel: &'a SalesChannel,
    shelf: Shelf<'a>,
    price: Option<PriceContext>,
}

impl<'a> Matrix<'a> {
    /// The columns of these channels.
    pub fn open(
        view: &'a dyn Read,
        channels: &'a [SalesChannel],
        wanted: &'a Wanted,
    ) -> Result<Matrix<'a>, StoreError> {
        let column = |channel: &'a SalesChannel| {
            let shelf = Shelf::open(view, &channel.id, wanted.at)?;
            let price = wanted.price.clone().map(|it| it.with(CHANNEL, Some(&channel.id)));
            Ok(Column { channel, shelf, price })
        };
        let columns = channels.iter().map(column).collect::<Result<_, StoreError>>()?;
        Ok(Matrix { view, wanted, columns, changes_at: None })
    }

    /// The row of a variant as JSON: its titles and picture, and a cell for each channel.
    pub fn row(&mut self, variant: &ProductVariant) -> Result<Value, StoreError> {
        let article = Article::of(self.view, variant.clone())?;
        let cells = self.cells_of(variant, article.as_ref())?;
        let product = article.as_ref().map(|it| &it.product);
        let thumbnail = variant.thumbnail.as_ref().or(product.and_then(|it| it.thumbnail.as_ref()));
        Ok(json!({
            "id": variant.id, "title": variant.title, "sku": variant.sku, "product_id": variant.product_id,
            "product_title": product.map(|it| &it.title), "thumbnail": thumbnail, "cells": cells,
        }))
    }

    /// The cells of a variant as JSON, one for each channel.
    pub fn cells(&mut self, variant: &ProductVariant) -> Result<Vec<Value>, StoreError> {
        let article = Article::of(self.view, variant.clone())?;
        self.cells_of(variant, article.as_ref())
    }

    fn cells_of(
        &mut self,
        variant: &ProductVariant,
        article: Option<&Article>,
    ) -> Result<Vec<Value>, StoreError> {
        let Matrix { view, wanted, columns, changes_at: first } = self;
        let product = article.map_or("", |it| &it.product.id);
        let mut cells = Vec::with_capacity(columns.len());
        for Column { channel, shelf, price } in columns {
            let price = price.as_ref();
            let Decision { verdict, price: amount, changes_at } =
                shelf.decide_at(wanted.at, article, wanted.quantity, price)?;
            *first = first.iter().copied().chain(changes_at).min();
            let case =
                Case { view: *view, shelf, channel: &channel.id, product, variant: &variant.id, price };
            let reason = verdict.reasons.first().map(|it| case.describe(it)).transpose()?;
            cells.push(json!({
                "sales_channel_id": channel.id, "variant_id": variant.id, "sellable": verdict.sellable,
                "available_quantity": verdict.available, "price": amount, "reason": reason,
                "changes_at": changes_at,
            }));
        }
        Ok(cells)
    }

    /// The time that is looked at.
    pub fn at(&self) -> Timestamp {
        self.wanted.at
    }

    /// The first moment at which time alone may change one of the cells; `None` if it never does.
    pub fn changes_at(&self) -> Option<Timestamp> {
        self.changes_at
    }
}
