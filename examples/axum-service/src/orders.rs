//! `GET /orders/{id}`: an order with its price. `POST /orders`: a new one.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use redis::AsyncCommands;
use redress::Error;
use redress_tokio::reqwest::SendWith;
use redress_tokio::{deadline, http};
use serde::{Deserialize, Serialize};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::App;

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/orders/{id}", get(read)).route("/orders", post(create))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewOrder {
    item: String,
    quantity: i32,
}

#[derive(Serialize)]
struct Created {
    id: i64,
}

#[derive(Serialize)]
struct Order {
    id: i64,
    item: String,
    quantity: i32,
    /// In cents.
    price: u64,
}

/// How long a price may be old.
const PRICE_SECS: u64 = 1;

async fn read(State(app): State<App>, Path(id): Path<i64>) -> Result<Json<Order>, Response> {
    const SELECT: &str = "select item, quantity from orders where id = $1";
    let mut call = app.upstreams.orders.at("postgres").operation("SELECT order");
    let row = call.call_future(|_| {
        sqlx::query_as::<_, (String, i32)>(SELECT).bind(id).fetch_optional(&app.clients.postgres)
    });
    let Some((item, quantity)) = row.await.map_err(failed)? else {
        return Err(answer(StatusCode::NOT_FOUND, "there is no such order"));
    };
    let price = match cached(&app, &item).await {
        Some(price) => price,
        None => fetched(&app, &item).await?,
    };
    Ok(Json(Order { id, price: price * u64::from(quantity.unsigned_abs()), item, quantity }))
}

/// The price in the cache; none also if Redis fails, since the service of prices has it, too.
async fn cached(app: &App, item: &str) -> Option<u64> {
    let key = format!("price:{item}");
    let mut call = app.upstreams.cache.at("redis").operation("GET price");
    let read = call.call_future(|_| {
        let (mut redis, key) = (app.clients.redis.clone(), &key);
        async move { redis.get::<_, Option<u64>>(key).await }
    });
    read.await.ok()?
}

/// The price by HTTP, which goes into the cache.
async fn fetched(app: &App, item: &str) -> Result<u64, Response> {
    let mut url = app.clients.prices.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.extend(["prices", item]);
    }
    let sent = app.clients.http.get(url).send_with(&app.upstreams.prices).await;
    let response = sent.map_err(|error| error.failure::<Body>())?;
    if !response.status().is_success() {
        return Err(answer(StatusCode::BAD_GATEWAY, "the service of prices has failed"));
    }
    let price = response.text().await.ok().and_then(|text| text.trim().parse().ok());
    let none = || answer(StatusCode::BAD_GATEWAY, "the service of prices has sent no price");
    let price = price.ok_or_else(none)?;
    let key = format!("price:{item}");
    let mut call = app.upstreams.cache.at("redis").operation("SET price");
    let written = call.call_future(|_| {
        let (mut redis, key) = (app.clients.redis.clone(), &key);
        async move { redis.set_ex::<_, u64, ()>(key, price, PRICE_SECS).await }
    });
    // An observer has notified of what went wrong; the price is there all the same.
    let _ = written.await;
    Ok(price)
}

/// The client's key for this order, if it has one.
fn key(headers: &HeaderMap) -> Result<Option<&str>, String> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let key = value.to_str().ok().filter(|key| (1..=100).contains(&key.len()));
    let right = || format!("idempotency-key: {value:?} is not 1 to 100 visible characters");
    key.map(Some).ok_or_else(right)
}

async fn create(
    State(app): State<App>,
    headers: HeaderMap,
    Json(order): Json<NewOrder>,
) -> Result<impl IntoResponse, Response> {
    let NewOrder { item, quantity } = order;
    if item.is_empty() || item.len() > 100 {
        let right = "item: must have 1 to 100 bytes";
        return Err(answer(StatusCode::BAD_REQUEST, right));
    }
    if !(1..=1_000).contains(&quantity) {
        let right = format!("quantity: {quantity} is out of range: 1 to 1000");
        return Err(answer(StatusCode::BAD_REQUEST, right));
    }
    in_stock(&app, &item).await?;
    let key = key(&headers).map_err(|why| answer(StatusCode::BAD_REQUEST, why))?;
    let id = insert(&app, &item, quantity, key).await?;
    Ok((StatusCode::CREATED, Json(Created { id })))
}

/// Asks the service of the stock; its answer is a read, which may be asked for again.
async fn in_stock(app: &App, item: &str) -> Result<(), Response> {
    let mut call = app.upstreams.stock.at("stock").operation("grpc.health.v1.Health/Check");
    let check = call.call_future(|_| {
        let mut client = HealthClient::new(app.clients.stock.clone());
        let mut request = tonic::Request::new(HealthCheckRequest { service: item.to_owned() });
        if let Some(left) = deadline::remaining() {
            request.set_timeout(left.into());
        }
        async move { client.check(request).await }
    });
    check.await.map(drop).map_err(failed)
}

/// A connection that is lost does not say whether the order is in the table. With the client's key
/// it is inserted again, which changes nothing if it is there; without one it is sent once.
async fn insert(app: &App, item: &str, quantity: i32, key: Option<&str>) -> Result<i64, Response> {
    const INSERT: &str = "
        insert into orders (item, quantity, key) values ($1, $2, $3)
        on conflict (key) do update set key = excluded.key returning id, item, quantity";
    let orders = &app.upstreams.orders;
    let call = if key.is_some() { orders.at("postgres") } else { orders.once_at("postgres") };
    let mut call = call.operation("INSERT order");
    let inserted = call.call_future(|_| {
        let insert = sqlx::query_as::<_, (i64, String, i32)>(INSERT);
        insert.bind(item).bind(quantity).bind(key).fetch_one(&app.clients.postgres)
    });
    let (id, of_key, of_quantity) = inserted.await.map_err(failed)?;
    if (&*of_key, of_quantity) == (item, quantity) {
        Ok(id)
    } else {
        let other = format!("idempotency-key: it is that of order {id}, which is another");
        Err(answer(StatusCode::UNPROCESSABLE_ENTITY, other))
    }
}

/// 503 with Retry-After, 504 or 502.
#[expect(clippy::needless_pass_by_value, reason = "`map_err` passes a value")]
fn failed<E, V>(error: Error<E, V>) -> Response {
    http::failure(&error)
}

fn answer(status: StatusCode, text: impl Into<String>) -> Response {
    (status, text.into()).into_response()
}
