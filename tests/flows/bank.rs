//! A fake payment provider: it charges carts and refunds them, idempotently by key.

use std::{
    collections::BTreeMap,
    fs::OpenOptions,
    io::Write as _,
    path::PathBuf,
    sync::{LazyLock, Mutex, PoisonError},
    time::Duration,
};

use atoll_checkout::{
    Paying, PaymentAction, PaymentAnswer, PaymentNotice, PaymentOutcome, PaymentProvider, PaymentRequest,
    PaymentTold, WebhookRequest,
};
use atoll_kernel::{Ctx, Decimal, Fault, FaultKind, Metadata, http::check_timed_signature, provider};
use atoll_testkit::Shop;
use serde_json::{Value, json};
use tokio::sync::watch;

/// Path of the bank's journal, which survives the process; `None` for no journal.
pub(crate) static LOG: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Appends to the journal; what is in it counts as done.
fn note(what: &str, cart: &str, key: &str) {
    let file = LOG.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let Some(file) = file else { return };
    let mut file = OpenOptions::new().create(true).append(true).open(file).expect("the log of the bank");
    file.write_all(format!("{what} {cart} {key}\n").as_bytes()).expect("the log of the bank");
}

/// How the bank treats a cart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mood {
    /// Charges.
    #[default]
    Pays,
    /// Declines.
    Declines,
    /// Charges, and never answers.
    Hangs,
    /// Charges, and answers when the mood changes.
    Waits,
    /// It sets the money aside, and says later by a webhook whether it pays.
    Pends,
}

/// The account of a cart.
#[derive(Clone, Debug, Default)]
pub(crate) struct Account {
    pub(crate) mood: Mood,
    /// Charges by key; true if refunded.
    charges: BTreeMap<String, bool>,
    /// Amounts charged and refunded, by key.
    moves: BTreeMap<String, (PaymentAction, Decimal)>,
    /// Number of calls.
    pub(crate) n_calls: usize,
}

static ACCOUNTS: LazyLock<watch::Sender<BTreeMap<String, Account>>> =
    LazyLock::new(|| watch::Sender::new(BTreeMap::new()));

/// Reads or changes the account of a cart.
pub(crate) fn account<T>(cart: &str, look: impl FnOnce(&mut Account) -> T) -> T {
    let mut seen = None;
    ACCOUNTS.send_modify(|all| seen = Some(look(all.entry(cart.to_owned()).or_default())));
    seen.expect("it was looked at")
}

/// Waits until the account of a cart meets a condition.
pub(crate) async fn account_is(cart: &str, is: impl Fn(&Account) -> bool) {
    let mut accounts = ACCOUNTS.subscribe();
    accounts.wait_for(|all| all.get(cart).is_some_and(&is)).await.map(drop).expect("the bank is open");
}

impl Account {
    /// Number of charges without a refund.
    pub(crate) fn n_charged(&self) -> usize {
        self.charges.values().filter(|is_void| !**is_void).count()
    }

    /// Amount charged minus amount refunded.
    pub(crate) fn taken(&self) -> Decimal {
        let sign = |it: &PaymentAction| if *it == PaymentAction::Refund { -1_i64 } else { 1 };
        self.moves.values().map(|(action, amount)| Decimal::from(sign(action)) * *amount).sum()
    }

    pub(crate) fn charge(&mut self, key: &str) {
        self.charges.entry(key.to_owned()).or_insert(false);
    }

    /// A charge that arrives after its refund does nothing.
    pub(crate) fn void(&mut self, key: &str) {
        self.charges.insert(key.to_owned(), true);
    }
}

struct Bank {
    timeout: Duration,
}

/// Calls of this bank time out at once, for the tests of time-outs ([`Mood::Hangs`]).
const BANK: Bank = Bank { timeout: Duration::from_millis(40) };

/// Calls of this bank do not time out while a test makes it wait ([`Mood::Waits`]), however slow the machine
/// is.
const PATIENT_BANK: Bank = Bank { timeout: Duration::from_secs(120) };

impl PaymentProvider for Bank {
    fn timeout(&self) -> Duration {
        self.timeout
    }

    fn pending_timeout(&self) -> Duration {
        Duration::from_secs(3600)
    }

    fn ask(&self, _: Ctx, request: PaymentRequest) -> Paying {
        Box::pin(ask(request))
    }

    fn webhook(&self, ctx: Ctx, request: WebhookRequest) -> Paying<Option<PaymentNotice>> {
        Box::pin(async move { read_webhook(&ctx, &request) })
    }
}

/// Signs the webhooks of the bank.
pub(crate) const WEBHOOK_SECRET: &[u8] = b"known to the bank and the shop";

/// How old a webhook of the bank may be.
const WEBHOOK_TOLERANCE: Duration = Duration::from_secs(300);

fn read_webhook(ctx: &Ctx, request: &WebhookRequest) -> Result<Option<PaymentNotice>, Fault> {
    let signature = request.header("bank-signature")?;
    check_timed_signature(WEBHOOK_SECRET, &request.body, signature, ctx.now(), WEBHOOK_TOLERANCE)?;
    let event: Value = serde_json::from_slice(&request.body).map_err(|it| Fault::invalid(it.to_string()))?;
    let amount = serde_json::from_value(event["amount"].clone()).unwrap_or_default();
    let told = PaymentTold { amount, data: Metadata::default() };
    let outcome = match event["type"].as_str() {
        Some("authorized") => PaymentOutcome::Authorized(told),
        Some("captured") => PaymentOutcome::Captured(told),
        Some("failed") => PaymentOutcome::Failed { reason: "the buyer has no money".into() },
        _ => return Ok(None),
    };
    let session_id = event["session_id"].as_str().unwrap_or_default().to_owned();
    Ok(Some(PaymentNotice { session_id, outcome }))
}

provider! { dyn PaymentProvider: "pp_bank" => BANK }
provider! { dyn PaymentProvider: "pp_patient_bank" => PATIENT_BANK }

async fn ask(request: PaymentRequest) -> Result<PaymentAnswer, Fault> {
    let cart = request.data.0.as_ref().and_then(|it| it["cart_id"].as_str()).unwrap_or_default().to_owned();
    let mood = account(&cart, |it| {
        it.n_calls += 1;
        match &request.action {
            PaymentAction::Authorize if it.mood != Mood::Declines => {
                note("charge", &cart, &request.key);
                it.charge(&request.key);
            }
            PaymentAction::Cancel { authorized_by } => {
                note("void", &cart, authorized_by);
                it.void(authorized_by);
            }
            PaymentAction::Capture | PaymentAction::Refund if it.mood != Mood::Declines => {
                let this = (request.action.clone(), request.amount);
                if *it.moves.entry(request.key.clone()).or_insert_with(|| this.clone()) != this {
                    return Mood::Declines;
                }
            }
            _ => {}
        }
        it.mood
    });
    match (mood, &request.action) {
        (Mood::Pends, PaymentAction::Authorize) => Ok(PaymentAnswer::pending(request.data)),
        (_, PaymentAction::Initiate | PaymentAction::Cancel { .. }) | (Mood::Pays | Mood::Pends, _) => {
            Ok(PaymentAnswer::done(request.data))
        }
        (Mood::Declines, _) => Err(Fault::new(FaultKind::PaymentRefused, "Payment authorization failed")),
        (Mood::Hangs, _) => std::future::pending().await,
        (Mood::Waits, _) => {
            account_is(&cart, |it| it.mood != Mood::Waits).await;
            Ok(PaymentAnswer::done(request.data))
        }
    }
}

/// Allows payment through the bank in the region of a shop.
pub(crate) async fn open_for(shop: &Shop) {
    let providers = json!({ "payment_providers": ["pp_system_default", "pp_bank", "pp_patient_bank"] });
    shop.admin.post(&format!("/admin/regions/{}", shop.region), providers).await.ok();
}
