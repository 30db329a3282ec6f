//! A bank: it takes the money of carts, and gives it back. It does nothing twice for one key.

use std::{
    collections::BTreeMap,
    fs::OpenOptions,
    io::Write as _,
    path::{Path, PathBuf},
    sync::{LazyLock, Mutex, PoisonError},
    time::Duration,
};

use atoll_kernel::{Ctx, Fault, StepCall, hook};
use serde_json::{Value, json};

hook! { "bank.authorize" in "complete-cart.authorizePayment" => external authorize, undo: void,
timeout: Duration::from_millis(40) }

/// Names the file in which the bank notes what it does, so that it outlives a process.
pub(crate) const LOG: &str = "ATOLL_BANK_LOG";

static LOG_FILE: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Notes what the bank does from now on in this file.
pub(crate) fn log_to(file: &Path) {
    *LOG_FILE.lock().unwrap_or_else(PoisonError::into_inner) = Some(file.to_owned());
}

/// Notes what is done for a cart; what is noted is done.
fn note(what: &str, cart: &str, key: &str) {
    let file = LOG_FILE.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let file = file.or_else(|| std::env::var_os(LOG).map(PathBuf::from));
    let Some(file) = file else { return };
    // The test whose log it is may be over, and its folder gone.
    let Ok(mut file) = OpenOptions::new().create(true).append(true).open(file) else { return };
    file.write_all(format!("{what} {cart} {key}\n").as_bytes()).expect("the log of the bank");
}

/// What the bank does with a cart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mood {
    /// It takes the money.
    #[default]
    Pays,
    /// It refuses.
    Declines,
    /// It takes the money, and does not answer.
    Hangs,
}

/// What the bank knows of a cart.
#[derive(Clone, Debug, Default)]
pub(crate) struct Account {
    pub(crate) mood: Mood,
    /// Charges by key: was it given back?
    charges: BTreeMap<String, bool>,
    /// How often it was called.
    pub(crate) n_calls: usize,
}

static ACCOUNTS: LazyLock<Mutex<BTreeMap<String, Account>>> = LazyLock::new(Mutex::default);

/// Looks at the account of a cart, or changes it.
pub(crate) fn account<T>(cart: &str, look: impl FnOnce(&mut Account) -> T) -> T {
    let mut accounts = ACCOUNTS.lock().unwrap_or_else(PoisonError::into_inner);
    look(accounts.entry(cart.to_owned()).or_default())
}

impl Account {
    /// Charges that were not given back.
    pub(crate) fn n_charged(&self) -> usize {
        self.charges.values().filter(|is_void| !**is_void).count()
    }

    pub(crate) fn charge(&mut self, key: &str) {
        self.charges.entry(key.to_owned()).or_insert(false);
    }

    /// A charge that comes after it was given back is none.
    pub(crate) fn void(&mut self, key: &str) {
        self.charges.insert(key.to_owned(), true);
    }
}

async fn authorize(_: Ctx, call: StepCall) -> Result<Value, Fault> {
    let cart = call.input["cart_id"].as_str().unwrap_or_default();
    let mood = account(cart, |it| {
        it.n_calls += 1;
        if it.mood != Mood::Declines {
            note("charge", cart, &call.key);
            it.charge(&call.key);
        }
        it.mood
    });
    match mood {
        Mood::Pays => Ok(json!({ "charge": call.key })),
        Mood::Declines => Err(Fault::not_allowed("Payment authorization failed")),
        Mood::Hangs => std::future::pending().await,
    }
}

async fn void(_: Ctx, call: StepCall) -> Result<(), Fault> {
    let cart = call.input["cart_id"].as_str().unwrap_or_default();
    account(cart, |it| {
        it.n_calls += 1;
        note("void", cart, &call.invoke_key);
        it.void(&call.invoke_key);
    });
    Ok(())
}
