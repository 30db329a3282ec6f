//! The records of customers, their addresses and their groups.

use atoll_kernel::{Id, Metadata, entity};

entity! {
    /// A customer: an account, or a guest.
    pub struct Customer = "customer" / "customers", "cus" {
        /// Company that the customer buys for.
        pub company_name: Option<String>,
        /// A first name.
        pub first_name: Option<String>,
        /// A last name.
        pub last_name: Option<String>,
        /// An e-mail address, in lower case.
        pub email: String,
        /// A phone number.
        pub phone: Option<String>,
        /// Can the customer log in? If not, it is a guest.
        pub has_account: bool,
        /// A JSON object of the client's, stored as it is.
        pub metadata: Metadata,
        /// Id of the admin who created it; null if the customer registered.
        pub created_by: Option<String>,
        /// The groups, by their ids. At most 100.
        pub group_ids: Vec<Id<CustomerGroup>>,
    }
    search [company_name, first_name, last_name, email, phone]
    hidden [group_ids]
    patch CustomerPatch
}

entity! {
    /// A group of customers, with prices and promotions of its own.
    pub struct CustomerGroup = "customer_group" / "customer_groups", "cusgroup" {
        /// Display name, for admins. No two groups have the same.
        pub name: String,
        /// A JSON object of the client's, stored as it is.
        pub metadata: Metadata,
        /// Id of the admin who created it.
        pub created_by: Option<String>,
    }
    search [name]
    patch CustomerGroupPatch
}

entity! {
    /// An address of a customer.
    pub struct CustomerAddress = "customer_address" / "customer_addresses", "cuaddr" {
        /// Display name, chosen by the customer.
        pub address_name: Option<String>,
        /// Is it the default shipping address? At most one per customer.
        pub is_default_shipping: bool,
        /// Is it the default billing address? At most one per customer.
        pub is_default_billing: bool,
        /// The customer, by its id.
        pub customer_id: String,
        /// Company name.
        pub company: Option<String>,
        /// A first name.
        pub first_name: Option<String>,
        /// A last name.
        pub last_name: Option<String>,
        /// Street and number.
        pub address_1: Option<String>,
        /// Second line of the street address.
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
        /// A JSON object of the client's, stored as it is.
        pub metadata: Metadata,
    }
    search [address_name, company, first_name, last_name, address_1, address_2, city, postal_code]
    patch CustomerAddressPatch
}
