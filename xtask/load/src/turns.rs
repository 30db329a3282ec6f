//! What a client does in one turn: a read, a step of a checkout, or a mix of both.

use std::{collections::BTreeMap, rc::Rc};

use anyhow::{Context as _, bail, ensure};
use bytes::Bytes;
use hyper::{
    Method,
    header::{ETAG, IF_NONE_MATCH},
};
use serde_json::json;

use crate::{
    client,
    measure::Turn,
    world::{World, text},
};

/// Lines of a cart, before a client begins another.
const LINES_MAX: usize = 5;
/// Clients that make carts ready or place orders before something is measured.
const N_MAKERS: usize = 64;

/// One step of a checkout, as far as a turn goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Creates an empty cart.
    Create,
    /// Adds a line to a cart of the client's own.
    Add,
    /// Completes a cart that was made ready before.
    Complete,
    /// All of it: create, add, payment session, complete.
    Checkout,
    /// Makes a cart ready to be completed.
    MakeReady,
}

/// A client, and what it does.
pub(crate) enum Client {
    Read(Reader),
    Write(Shopper),
    /// Nine reads, which are counted, for one write, which is not.
    Mixed {
        reader: Box<Reader>,
        shopper: Shopper,
        n: usize,
    },
}

impl Client {
    pub(crate) async fn turn(&mut self) -> anyhow::Result<Turn> {
        match self {
            Client::Read(reader) => reader.read().await.map(|()| Turn::Counted),
            Client::Write(shopper) => shopper.take(shopper.step).await,
            Client::Mixed { reader, shopper, n } => {
                *n += 1;
                if !n.is_multiple_of(10) {
                    return reader.read().await.map(|()| Turn::Counted);
                }
                // Completions end when no cart is ready; the mix goes on with adding.
                if n.is_multiple_of(20) || matches!(shopper.take(Step::Complete).await?, Turn::Ended) {
                    shopper.take(Step::Add).await?;
                }
                Ok(Turn::Uncounted)
            }
        }
    }
}

/// Asks for these paths, one after the other.
pub(crate) struct Reader {
    client: client::Client,
    paths: Rc<Vec<String>>,
    /// The path that comes next; clients begin at different ones.
    at: usize,
    /// With 304 as the only right answer.
    is_revalidating: bool,
    /// Errors are answers, too.
    is_tolerant: bool,
    /// How many answers had which status.
    pub(crate) statuses: BTreeMap<u16, usize>,
}

impl Reader {
    pub(crate) fn new(client: client::Client, paths: &Rc<Vec<String>>, nth: usize) -> Reader {
        Reader {
            client,
            paths: paths.clone(),
            at: nth,
            is_revalidating: false,
            is_tolerant: false,
            statuses: BTreeMap::new(),
        }
    }

    /// As `new`, for requests that may be refused.
    pub(crate) fn tolerant(client: client::Client, paths: &Rc<Vec<String>>, nth: usize) -> Reader {
        Reader { is_tolerant: true, ..Reader::new(client, paths, nth) }
    }

    /// Sends the `ETag` of the first answer with each request; nothing where answers have none.
    pub(crate) async fn revalidating(mut self) -> anyhow::Result<Option<Reader>> {
        let answer = self.client.get(&self.paths[0]).await?;
        answer.json()?;
        let Some(etag) = answer.headers.get(ETAG) else { return Ok(None) };
        let client = self.client.with(IF_NONE_MATCH, etag.to_str()?);
        Ok(Some(Reader { client, is_revalidating: true, ..self }))
    }

    async fn read(&mut self) -> anyhow::Result<()> {
        let path = &self.paths[self.at % self.paths.len()];
        self.at += 1;
        let answer = self.client.get(path).await?;
        *self.statuses.entry(answer.status).or_default() += 1;
        let expected = if self.is_revalidating { 304 } else { 200 };
        if answer.status == expected || self.is_tolerant {
            return Ok(());
        }
        let body = String::from_utf8_lossy(&answer.body).chars().take(300).collect::<String>();
        bail!("{path} is answered with {} {body}", answer.status)
    }
}

/// Buys.
pub(crate) struct Shopper {
    client: client::Client,
    world: Rc<World>,
    step: Step,
    /// The cart to which lines are added, and how many it has.
    cart: Option<(String, usize)>,
    n: usize,
}

impl Shopper {
    pub(crate) fn new(world: &Rc<World>, step: Step, nth: usize) -> Shopper {
        Shopper { client: world.storefront(), world: world.clone(), step, cart: None, n: nth * 7 }
    }

    /// Takes a step. The cart to which a line is added is created in a turn that is not counted.
    async fn take(&mut self, step: Step) -> anyhow::Result<Turn> {
        match step {
            Step::Create => drop(self.create().await?),
            Step::Add => match self.cart.take() {
                Some((cart, n_lines)) => {
                    self.add(&cart).await?;
                    self.cart = Some((cart, n_lines + 1)).filter(|(_, n_lines)| *n_lines < LINES_MAX);
                }
                None => {
                    self.cart = Some((self.create().await?, 0));
                    return Ok(Turn::Uncounted);
                }
            },
            Step::Complete => {
                let ready = self.world.ready.borrow_mut().pop();
                let Some(cart) = ready else { return Ok(Turn::Ended) };
                self.complete(&cart).await?;
            }
            Step::MakeReady | Step::Checkout => {
                let cart = self.create().await?;
                self.add(&cart).await?;
                self.pay(&cart).await?;
                match step {
                    Step::MakeReady => self.world.ready.borrow_mut().push(cart),
                    _ => self.complete(&cart).await?,
                }
            }
        }
        Ok(Turn::Counted)
    }

    async fn create(&mut self) -> anyhow::Result<String> {
        let cart = json!({ "region_id": self.world.region, "email": "load@example.com" });
        text(&self.client.post("/store/carts", &cart).await?["cart"]["id"])
    }

    async fn add(&mut self, cart: &str) -> anyhow::Result<()> {
        self.n += 1;
        let (_, variant) = &self.world.products[self.n % self.world.products.len().min(20)];
        let line = json!({ "variant_id": variant, "quantity": 1 });
        self.client.post(&format!("/store/carts/{cart}/line-items"), &line).await.map(drop)
    }

    async fn pay(&mut self, cart: &str) -> anyhow::Result<()> {
        let collection = self.client.post("/store/payment-collections", &json!({ "cart_id": cart })).await?;
        let collection = text(&collection["payment_collection"]["id"])?;
        let path = format!("/store/payment-collections/{collection}/payment-sessions");
        self.client.post(&path, &json!({ "provider_id": "pp_system_default" })).await.map(drop)
    }

    async fn complete(&mut self, cart: &str) -> anyhow::Result<()> {
        let path = format!("/store/carts/{cart}/complete");
        let answer = self.client.send(Method::POST, &path, Bytes::from_static(b"{}")).await?.json()?;
        ensure!(answer["type"] == "order", "a cart was not completed: {answer}");
        Ok(())
    }
}

/// Takes a step so many times, by many clients at a time.
pub(crate) async fn take_many(world: &Rc<World>, step: Step, n: usize) -> anyhow::Result<()> {
    let left = Rc::new(std::cell::Cell::new(n));
    let local = tokio::task::LocalSet::new();
    let makers: Vec<_> = (0..N_MAKERS.min(n))
        .map(|nth| {
            let (mut shopper, left) = (Shopper::new(world, step, nth), left.clone());
            local.spawn_local(async move {
                while left.get() > 0 {
                    left.set(left.get() - 1);
                    shopper.take(step).await?;
                }
                anyhow::Ok(())
            })
        })
        .collect();
    local
        .run_until(async {
            for maker in makers {
                maker.await.context("a client panicked")??;
            }
            Ok(())
        })
        .await
}
