//! Clients of the service: what they send, and what they got.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use redress_hosts::Failure;
use reqwest::{Client, RequestBuilder};
use serde_json::Value;
use tokio::task::LocalSet;

/// How long a client waits, which it says.
pub(crate) const DEADLINE: Duration = Duration::from_secs(3);
/// How much later an answer may come on a busy machine.
pub(crate) const MARGIN: Duration = Duration::from_millis(700);
const CLIENTS: usize = 6;

/// What a client got.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// `None` without an answer.
    pub(crate) status: Option<u16>,
    pub(crate) has_retry_after: bool,
    pub(crate) body: String,
    pub(crate) elapsed: Duration,
}

impl Answer {
    /// Its status as it is printed.
    pub(crate) fn word(&self) -> String {
        self.status.map_or_else(|| "no answer".into(), |status| status.to_string())
    }
}

/// Sends requests, and remembers every order that was acknowledged.
#[derive(Clone)]
pub(crate) struct Load {
    url: Rc<str>,
    client: Client,
    shared: Rc<Shared>,
}

#[derive(Default)]
struct Shared {
    sent: Cell<u64>,
    acknowledged: RefCell<Vec<(i64, String)>>,
}

impl Load {
    pub(crate) fn new(url: &str) -> Result<Self, Failure> {
        // An error if there is one already: then that one serves.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // A connection for each request, as from clients that do not know each other.
        let client = Client::builder().pool_max_idle_per_host(0).no_proxy().build()?;
        Ok(Self { url: url.into(), client, shared: Rc::default() })
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.url))
    }

    /// Sends a request, and waits for all of its answer.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Answer {
        let started = Instant::now();
        let answer = async {
            let response = request.send().await?;
            let has_retry_after = response.headers().contains_key("retry-after");
            let status = Some(response.status().as_u16());
            Ok::<_, reqwest::Error>((status, has_retry_after, response.text().await?))
        };
        let (status, has_retry_after, body) =
            answer.await.unwrap_or_else(|why| (None, false, why.to_string()));
        Answer { status, has_retry_after, body, elapsed: started.elapsed() }
    }

    /// Reads an order.
    pub(crate) async fn read(&self, id: i64) -> Answer {
        let limit = DEADLINE.as_millis().to_string();
        self.send(self.get(&format!("/orders/{id}")).header("x-request-deadline", limit)).await
    }

    /// Orders so many of something that no other order has, with a key or without.
    pub(crate) async fn order(&self, quantity: u32, has_key: bool) -> (String, Answer) {
        let nth = self.shared.sent.get() + 1;
        self.shared.sent.set(nth);
        let item = format!("item-{nth}");
        let mut request = self
            .client
            .post(format!("{}/orders", self.url))
            .header("content-type", "application/json")
            .header("x-request-deadline", DEADLINE.as_millis().to_string())
            .body(format!(r#"{{"item":"{item}","quantity":{quantity}}}"#));
        if has_key {
            request = request.header("idempotency-key", &item);
        }
        let answer = self.send(request).await;
        if answer.status == Some(201) {
            let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
            let id = body["id"].as_i64().unwrap_or(-1);
            self.shared.acknowledged.borrow_mut().push((id, item.clone()));
        }
        (item, answer)
    }

    /// The number and the item of each order that was acknowledged.
    pub(crate) fn acknowledged(&self) -> Vec<(i64, String)> {
        self.shared.acknowledged.borrow().clone()
    }

    /// One of the latest orders.
    fn latest(&self, nth: usize) -> Option<i64> {
        let all = self.shared.acknowledged.borrow();
        all.iter().rev().nth(nth).map(|(id, _)| *id)
    }

    /// Has the clients order and read while `fault` runs, and for this time at least.
    pub(crate) async fn during<T>(
        &self,
        least: Duration,
        fault: impl Future<Output = T>,
    ) -> (T, Vec<Answer>) {
        let (answers, is_over) = (RefCell::new(Vec::new()), Cell::new(false));
        let (answers, is_over) = (Rc::new(answers), Rc::new(is_over));
        let set = LocalSet::new();
        for nth in 0..CLIENTS {
            let (load, answers, is_over) = (self.clone(), answers.clone(), is_over.clone());
            set.spawn_local(async move {
                let mut round = nth;
                while !is_over.get() {
                    round += 1;
                    let answer = match (round % 4, load.latest(round % 5)) {
                        (0, _) | (_, None) => load.order(2, true).await.1,
                        (1, _) => load.order(2, false).await.1,
                        (_, Some(id)) => load.read(id).await,
                    };
                    answers.borrow_mut().push(answer);
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            });
        }
        let result = set
            .run_until(async {
                let (result, ()) = tokio::join!(fault, tokio::time::sleep(least));
                is_over.set(true);
                result
            })
            .await;
        set.await;
        (result, answers.take())
    }
}
