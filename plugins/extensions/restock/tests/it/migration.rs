//! Data of the first version of the extension is brought up to date when a host starts: each kind of change
//! of what is stored, as `docs/changing-records.md` tells it.

use atoll_host::registry;
use atoll_kernel::{
    Decimal, Registry, StoreError, Timestamp, Write,
    data::{Index, Module, Service, Store},
    entity,
    migration::{Plan, migrate},
};
use atoll_restock::{
    BY_EMAIL, MODULE, RESTOCK_SUBSCRIPTIONS, RestockStatus, WAITING_BY_CUSTOMER, WAITING_BY_VARIANT,
};
use atoll_storage::{View, WriteRows, engines::Memory};
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

entity! {
    /// A mail that was sent, as version 1 recorded it.
    pub struct Notice = "restock_notice" / "restock_notices", "rnotice" {
        /// Where to.
        pub email: String,
    }
}

const FIRST_BY_VARIANT: Index<First> =
    Index::on("restock_subscription.by_variant", &["variant_id"], |it, keys| keys.add(&[&it.variant_id]));
const FIRST_BY_CUSTOMER: Index<First> =
    Index::on("restock_subscription.by_customer", &["customer_id"], |it, keys| {
        keys.add_some(it.customer_id.as_deref());
    });
const NOTICES_BY_EMAIL: Index<Notice> =
    Index::on("restock_notice.by_email", &["email"], |it, keys| keys.add(&[&it.email]));
static FIRSTS: Service<First> = Service::new(&[FIRST_BY_VARIANT, FIRST_BY_CUSTOMER]);
static NOTICES: Service<Notice> = Service::new(&[NOTICES_BY_EMAIL]);
static FIRST_MODULE: Module = Module { name: "restock", services: &[&FIRSTS, &NOTICES], ..Module::EMPTY };

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
        computed: linked.computed.iter().copied().filter(|it| it.entity != "restock_subscription").collect(),
        checks: linked.checks.clone(),
        ..Registry::default()
    };
    Box::leak(Box::new(parts.build().expect("a registry that fits together")))
}

/// When the subscriptions were made.
const MADE: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// Data of the first version: a shopper who waits, and one who was told.
async fn first_disk() -> Memory {
    let disk = Memory::default();
    let store = Store::open(disk.clone(), &first_program().spaces()).expect("a store");
    migrate(&store, first_program()).await.expect("a new database");
    let fill = move |tx: &mut dyn Write| {
        for (id, notified) in [("restock_1", false), ("restock_2", true)] {
            let row = First {
                id: id.into(),
                variant_id: "variant_1".into(),
                customer_id: Some("cus_1".into()),
                email: "ada@test.dev".into(),
                amount: Decimal::from(3_i64),
                notified,
                created_at: MADE,
                updated_at: MADE.plus_millis(1),
                ..First::default()
            };
            FIRSTS.table.insert(tx, &row).expect("a row");
        }
        let notice = Notice { id: "rnotice_1".into(), email: "ada@test.dev".into(), ..Notice::default() };
        NOTICES.table.insert(tx, &notice).expect("a row");
        Ok::<_, StoreError>(())
    };
    store.write(fill).await.expect("a commit");
    store.close();
    disk
}

#[tokio::test]
async fn data_of_version_1_is_brought_to_version_2() {
    let disk = first_disk().await;
    let linked = registry().expect("a registry");

    // What `atoll migrate --dry-run` says beforehand.
    let plan = Plan::of(&View::look(&disk, &linked.spaces()).expect("a look"), linked).expect("a plan");
    let plan = plan.to_string();
    for step in [
        "table restock_subscription: every record is rewritten as version 2; rebuilt: ",
        "restock_subscription.waiting_by_customer",
        "table restock_notice: was dropped, and its records are deleted\n",
    ] {
        assert!(plan.contains(step), "{plan}");
    }

    let app = TestApp::over(Store::open(disk.clone(), &linked.spaces()).expect("a store"), None).await;
    let view = app.ctx.view();
    let all = RESTOCK_SUBSCRIPTIONS.table.list_by(&view, &BY_EMAIL, &["ada@test.dev"]).expect("rows");
    // A type changed by a function: `notified` became `status` and `told_at`.
    let states: Vec<_> = all.iter().map(|it| (it.status, it.told_at)).collect();
    assert_eq!(states, [(RestockStatus::Waiting, None), (RestockStatus::Told, Some(MADE.plus_millis(1)))]);
    for it in &all {
        // A field added with its default.
        assert_eq!(it.locale, None);
        // A field renamed: `amount`.
        assert_eq!(it.quantity, Decimal::from(3_i64));
        // Fields that the function made of others.
        let expires = MADE.plus_millis(90 * 24 * 60 * 60 * 1000);
        assert_eq!((it.expires_at, it.check_at), (expires, MADE));
    }
    // Indexes that were added are built.
    assert_eq!(WAITING_BY_VARIANT.count(&view, &["variant_1"]).expect("a count"), 1);
    assert_eq!(WAITING_BY_CUSTOMER.count(&view, &["cus_1", "variant_1", ""]).expect("a count"), 1);
    app.ctx.store().close();

    // A record that was dropped is deleted: the first version finds none any more, if it is asked to.
    let first = View::look(&disk, &first_program().spaces()).expect("a look");
    assert!(NOTICES.table.get(&first, "rnotice_1").expect("a read").is_none());
    assert_eq!(NOTICES_BY_EMAIL.count(&first, &["ada@test.dev"]).expect("a count"), 0);
}

#[tokio::test]
async fn the_first_version_refuses_data_of_the_second() {
    let disk = first_disk().await;
    let linked = registry().expect("a registry");
    let app = TestApp::over(Store::open(disk.clone(), &linked.spaces()).expect("a store"), None).await;
    app.ctx.store().close();
    let view = View::look(&disk, &first_program().spaces()).expect("a look");
    let refusal = Plan::of(&view, first_program()).map(drop).expect_err("a refusal").to_string();
    let expected = "table restock_subscription is in version 2, and this program knows those up to 1";
    assert!(refusal.contains(expected), "{refusal}");
}
