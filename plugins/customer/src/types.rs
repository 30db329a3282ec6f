//! The records.

use atoll_kernel::{
    Metadata, entity,
    serde_json::{Value, json},
};

entity! {
    /// Somebody who buys.
    pub struct Customer = "customer" / "customers", "cus" {
        /// The company that they buy for.
        pub company_name: Option<String>,
        /// A first name.
        pub first_name: Option<String>,
        /// A last name.
        pub last_name: Option<String>,
        /// An e-mail address, in lower case.
        pub email: String,
        /// A phone number.
        pub phone: Option<String>,
        /// Can they log in? Those who cannot are guests.
        pub has_account: bool,
        /// Free data.
        pub metadata: Metadata,
        /// Who made it, by id; themselves, where nobody.
        pub created_by: Option<String>,
    }
    search [company_name, first_name, last_name, email, phone]
    computed [groups] by groups
    patch CustomerPatch
}

/// The list of a module that is not there: storefronts count on its being a list.
fn groups(_: &Customer, visit: &mut dyn FnMut(&'static str, Value)) {
    visit("groups", json!([]));
}

entity! {
    /// Where to send what a customer buys.
    pub struct CustomerAddress = "customer_address" / "customer_addresses", "cuaddr" {
        /// What the customer calls it.
        pub address_name: Option<String>,
        /// Is it where things go? At most one of a customer is.
        pub is_default_shipping: bool,
        /// Is it who pays? At most one of a customer is.
        pub is_default_billing: bool,
        /// The customer, by its id.
        pub customer_id: String,
        /// The company at the door.
        pub company: Option<String>,
        /// A first name.
        pub first_name: Option<String>,
        /// A last name.
        pub last_name: Option<String>,
        /// Street and number.
        pub address_1: Option<String>,
        /// More of the same.
        pub address_2: Option<String>,
        /// The city.
        pub city: Option<String>,
        /// ISO 3166-1 alpha-2, in lower case.
        pub country_code: Option<String>,
        /// The state or province.
        pub province: Option<String>,
        /// The postal code.
        pub postal_code: Option<String>,
        /// A phone number.
        pub phone: Option<String>,
        /// Free data.
        pub metadata: Metadata,
    }
    search [address_name, company, first_name, last_name, address_1, address_2, city, postal_code]
    patch CustomerAddressPatch
}
