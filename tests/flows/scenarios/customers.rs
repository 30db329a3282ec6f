//! Customers, their addresses and groups.

use serde_json::{Value, json};

use super::{Request, Scene, id};

impl Scene {
    pub(super) async fn customers(&self, flow: &str) -> Option<Request> {
        let Scene { shop, storefront, .. } = self;
        let me = "/store/customers/me";
        if flow == "create-customer-account" {
            let newcomer = shop.newcomer(storefront, "ann@test.dev").await;
            return Some((newcomer, "POST", "/store/customers".into(), json!({ "email": "ann@test.dev" })));
        }
        if !flow.contains("-customer") {
            return None;
        }
        if let Some(found) = self.customers_of_admins(flow).await {
            return Some(found);
        }
        let customer = shop.customer(storefront, "ann@test.dev").await;
        let addresses = format!("{me}/addresses");
        let home = json!({ "city": "Bern", "is_default_shipping": true });
        customer.post(&addresses, home.clone()).await.ok();
        let one = customer.get(&addresses).await.ok()["addresses"][0].clone();
        let one = format!("{addresses}/{}", id(&one));
        let (method, path, body) = match flow {
            "update-customers" => ("POST", me.to_owned(), json!({ "first_name": "Ann" })),
            "create-customer-addresses" => ("POST", addresses, home),
            "update-customer-addresses" => ("POST", one, json!({ "city": "Basel" })),
            "delete-customer-addresses" => ("DELETE", one, Value::Null),
            _ => return None,
        };
        Some((customer, method, path, body))
    }

    async fn customers_of_admins(&self, flow: &str) -> Option<Request> {
        let Scene { shop, storefront, .. } = self;
        let (customers, groups) = ("/admin/customers", "/admin/customer-groups");
        let vip = json!({ "name": "VIP" });
        match flow {
            "create-customers" => return self.post(customers.into(), json!({ "email": "bob@test.dev" })),
            "create-customer-groups" => return self.post(groups.into(), vip),
            "delete-customers" => {
                let customer = shop.customer(storefront, "ann@test.dev").await;
                let home = json!({ "city": "Bern" });
                let me = customer.post("/store/customers/me/addresses", home).await.ok();
                return self.delete(format!("{customers}/{}", id(&me)));
            }
            _ => {}
        }
        if !flow.contains("customer-group") {
            return None;
        }
        let customer = id(&shop.admin.post(customers, json!({ "email": "bob@test.dev" })).await.ok());
        let group = id(&shop.admin.post(groups, vip).await.ok());
        let members = format!("{groups}/{group}/customers");
        match flow {
            "link-customers-to-customer-group" => self.post(members, json!({ "add": [customer] })),
            "link-customer-groups-to-customer" => {
                self.post(format!("{customers}/{customer}/customer-groups"), json!({ "add": [group] }))
            }
            "update-customer-groups" => self.post(format!("{groups}/{group}"), json!({ "name": "New" })),
            "delete-customer-groups" => {
                shop.admin.post(&members, json!({ "add": [customer] })).await.ok();
                self.delete(format!("{groups}/{group}"))
            }
            _ => None,
        }
    }
}
