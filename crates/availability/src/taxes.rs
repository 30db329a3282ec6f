//! The taxes on the prices of a product page: the rates of variants where the shopper is.

use std::collections::{BTreeMap, btree_map::Entry};

use atoll_checkout::{TaxAddress, TaxItem, TaxLines, TaxRequest};
use atoll_kernel::{
    Decimal, Fault, Registry,
    query::{Env, Wall},
};
use atoll_product::{PRODUCTS, Product, ProductVariant};
use atoll_tax::{TAX_REGIONS, Taxes, taxes};

use crate::CalculatedPrice;

/// Where a shopper is: prices are shown with and without the taxes there.
pub struct TaxPlace {
    address: TaxAddress,
    registry: &'static Registry,
}

impl TaxPlace {
    /// A place, with the providers of taxes. None without a country, and where the tax module is switched
    /// off.
    pub fn of(
        registry: &'static Registry,
        country_code: Option<String>,
        province: Option<String>,
    ) -> Option<TaxPlace> {
        let country_code = country_code.filter(|it| !it.is_empty() && TAX_REGIONS.is_on())?;
        let address = TaxAddress { country_code, province, ..TaxAddress::default() };
        Some(TaxPlace { address, registry })
    }

    /// The tax lines of one piece of each of these variants, by its id, as a cart would get them. `None` if
    /// the provider must be asked outside: that is not done to show a page.
    pub(crate) fn tax_lines<'a>(
        &self,
        env: &Env<'_>,
        priced: impl Iterator<Item = (&'a ProductVariant, &'a CalculatedPrice)>,
    ) -> Result<Option<TaxLines>, Fault> {
        let mut products: BTreeMap<&str, Product> = BTreeMap::new();
        let mut request = TaxRequest {
            address: self.address.clone(),
            customer_id: env.context.wall().and_then(Wall::customer).map(str::to_owned),
            ..TaxRequest::default()
        };
        for (variant, price) in priced {
            let product = match products.entry(&variant.product_id) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => {
                    let product = PRODUCTS.get(env.view, new.key())?;
                    new.insert(product.unwrap_or_default())
                }
            };
            request.currency_code.clone_from(&price.currency_code);
            request.items.push(TaxItem {
                id: variant.id.to_string(),
                product_id: Some(variant.product_id.to_string()),
                product_type_id: product.type_id.as_ref().map(ToString::to_string),
                quantity: Decimal::ONE,
                unit_price: price.calculated.amount,
                is_giftcard: product.is_giftcard,
            });
        }
        if request.items.is_empty() {
            return Ok(None);
        }
        Ok(match taxes(env.view, self.registry, &request)? {
            Taxes::Known(lines) => Some(lines),
            Taxes::Ask(_) => None,
        })
    }
}
