//! The records of taxes: providers, regions, rates, and the rules that say what a rate is for.

use atoll_kernel::{Decimal, Id, Metadata, entity, words};

entity! {
    /// A tax provider.
    pub struct ProviderRecord = "tax_provider" / "tax_providers", "tp" {
        /// Does it serve? By configuration, of those that are linked in.
        pub is_enabled: bool = true,
    }
}

entity! {
    /// A country, or a province of one, whose taxes the shop collects.
    pub struct TaxRegion = "tax_region" / "tax_regions", "txreg" {
        /// ISO 3166-1 alpha-2, in lower case. A country has one region, and one for each of its provinces.
        pub country_code: String,
        /// ISO 3166-2, in lower case; null of a country.
        pub province_code: Option<String>,
        /// The region of the country, of a province.
        pub parent_id: Option<Id<TaxRegion>>,
        /// The provider; null of a province that has that of its country.
        pub provider_id: Option<String>,
        /// Id of the admin who created it.
        pub created_by: Option<String>,
        /// A JSON object of the client's, stored as it is.
        pub metadata: Metadata,
    }
    search [country_code, province_code]
    patch TaxRegionPatch
}

entity! {
    /// A rate of a tax region: the default one, or one for what its rules name.
    pub struct TaxRate = "tax_rate" / "tax_rates", "txr" {
        /// In percent. Null taxes nothing, and makes no tax line.
        pub rate: Option<Decimal>,
        /// A code for bookkeeping.
        pub code: String,
        /// The name of the tax, as buyers see it.
        pub name: String,
        /// Does it tax what no rule is for? At most one per region.
        pub is_default: bool,
        /// Is the rate of the country added to this one of a province?
        pub is_combinable: bool,
        /// The region, by its id.
        pub tax_region_id: String,
        /// Id of the admin who created it.
        pub created_by: Option<String>,
        /// A JSON object of the client's, stored as it is.
        pub metadata: Metadata,
    }
    search [name, code]
    patch TaxRatePatch
}

words! {
    /// What a rule of a tax rate names.
    pub enum Reference {
        /// A product.
        #[default]
        Product = "product",
        /// The products of a type.
        ProductType = "product_type",
        /// A shipping option.
        ShippingOption = "shipping_option",
    }
}

entity! {
    /// That a tax rate is for a product, the products of a type, or a shipping option.
    pub struct TaxRateRule = "tax_rate_rule" / "tax_rate_rules", "txrule" {
        /// The rate, by its id.
        pub tax_rate_id: String,
        /// What the id is of.
        pub reference: Reference,
        /// The product, the product type or the shipping option, by its id.
        pub reference_id: String,
        /// Id of the admin who created it.
        pub created_by: Option<String>,
        /// A JSON object of the client's, stored as it is.
        pub metadata: Metadata,
        /// The region of the rate, by which rules are found.
        pub tax_region_id: String,
    }
    hidden [tax_region_id]
}
