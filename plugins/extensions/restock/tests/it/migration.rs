//! Data of the first version of the extension is brought up to date when a host starts.

use atoll_host::registry;
use atoll_kernel::{
    Decimal, Registry, StoreError, Timestamp, Write,
    data::{Index, Module, Service, Store},
    entity,
    migration::migrate,
};
use atoll_restock::{
    BY_EMAIL, EXPIRES_AFTER, MODULE, RESTOCK_SUBSCRIPTIONS, RestockStatus, WAITING_BY_VARIANT,
};
use atoll_storage::{WriteRows, engines::Memory};
use atoll_testkit::TestApp;

entity! {
    /// A subscription, as version 1 stored it.
    pub struct First = "restock_subscription" / "restock_subscriptions", "restock" {
        /// The variant.
        pub variant_id: String,
        /// The channel.
        pub sales_channel_id: Option<String>,
        /// The customer.
        pub customer_id: Option<String>,
        /// Where to.
        pub email: String,
        /// How many are wanted.
        pub amount: Decimal,
        /// Was the shopper told?
        pub notified: bool,
    }
}

const FIRST_BY_VARIANT: Index<First> =
    Index::on("restock_subscription.by_variant", &["variant_id"], |it, keys| keys.add(&[&it.variant_id]));
const FIRST_BY_CUSTOMER: Index<First> =
    Index::on("restock_subscription.by_customer", &["customer_id"], |it, keys| {
        keys.add_some(it.customer_id.as_deref());
    });
static FIRSTS: Service<First> = Service::new(&[FIRST_BY_VARIANT, FIRST_BY_CUSTOMER]);
static FIRST_MODULE: Module = Module { name: "restock", services: &[&FIRSTS], ..Module::EMPTY };

/// What is linked in, with the first version of the extension.
fn first_program() -> &'static Registry {
    let linked = registry().expect("a registry");
    let parts = Registry {
        modules: linked
            .modules
            .iter()
            .map(|it| if it.name == MODULE.name { &FIRST_MODULE } else { *it })
            .collect(),
        links: linked.links.clone(),
        field_links: linked.field_links.clone(),
        projections: linked.projections.clone(),
        provider_kinds: linked.provider_kinds.clone(),
        providers: linked.providers.clone(),
        flags: linked.flags.clone(),
        computed: linked.computed.clone(),
        checks: linked.checks.clone(),
        ..Registry::default()
    };
    Box::leak(Box::new(parts.build().expect("a registry that fits together")))
}

#[tokio::test]
async fn records_of_version_1_get_states_and_expire() {
    let disk = Memory::default();
    let made = Timestamp::from_millis(1_700_000_000_000);
    let store = Store::open(disk.clone(), &first_program().spaces()).expect("a store");
    migrate(&store, first_program()).await.expect("a new database");
    let fill = move |tx: &mut dyn Write| {
        for (id, notified) in [("restock_1", false), ("restock_2", true)] {
            let row = First {
                id: id.into(),
                variant_id: "variant_1".into(),
                email: "ada@test.dev".into(),
                amount: Decimal::from(3_i64),
                notified,
                created_at: made,
                updated_at: made.plus_millis(1),
                ..First::default()
            };
            FIRSTS.table.insert(tx, &row).expect("a row");
        }
        Ok::<_, StoreError>(())
    };
    store.write(fill).await.expect("a commit");
    store.close();

    let spaces = registry().expect("a registry").spaces();
    let app = TestApp::over(Store::open(disk, &spaces).expect("a store"), None).await;
    let view = app.ctx.view();
    let all = RESTOCK_SUBSCRIPTIONS.table.list_by(&view, &BY_EMAIL, &["ada@test.dev"]).expect("rows");
    let states: Vec<_> = all.iter().map(|it| (it.status, it.told_at)).collect();
    assert_eq!(states, [(RestockStatus::Waiting, None), (RestockStatus::Told, Some(made.plus_millis(1)))]);
    for it in &all {
        assert_eq!(
            (it.quantity, it.expires_at, it.check_at),
            (Decimal::from(3_i64), made.plus(EXPIRES_AFTER), made)
        );
    }
    assert_eq!(WAITING_BY_VARIANT.count(&view, &["variant_1"]).expect("a count"), 1);
}
