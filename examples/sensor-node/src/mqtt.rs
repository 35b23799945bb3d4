//! Readings over MQTT, in a session that is made again whenever it breaks: each is published until
//! the broker has acknowledged it.

use core::cell::Cell;
use core::fmt::Write as _;
use core::num::NonZero;

use embassy_futures::select::{Either, select};
use embassy_net::Stack;
use embassy_net::dns::DnsQueryType;
use embassy_net::tcp::TcpSocket;
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex as Raw;
use embassy_sync::channel::Channel;
use embassy_time::{Duration, Timer, with_timeout};
use heapless::String;
use rand_xoshiro::Xoshiro128PlusPlus;
use redress::session::{Link, SessionState};
use redress::{Attempt, Classification, ErrorClass};
use redress_embassy::{EmbassyTime, classify};
use rust_mqtt::buffer::BumpBuffer;
use rust_mqtt::client::event::Event;
use rust_mqtt::client::options::{ConnectOptions, PublicationOptions, TopicReference};
use rust_mqtt::client::{Client, MqttError};
use rust_mqtt::config::KeepAlive;
use rust_mqtt::types::{MqttBinary, MqttString, TopicName};

use crate::durable::Reading;
use crate::log::Log;
use crate::policy::{BROKER, BROKER_BREAKER, SESSION};

/// Readings that wait for the broker.
pub static READINGS: Readings = Readings { channel: Channel::new() };

/// How many readings wait; then the oldest makes room.
const WAITING: usize = 64;

/// How long the broker may take to acknowledge a reading, or to answer a ping.
const ANSWER: Duration = Duration::from_secs(2);

/// Without a reading for this long the broker is pinged.
const IDLE: Duration = Duration::from_secs(5);

/// Readings from the node's job to this task.
pub struct Readings {
    channel: Channel<Raw, Reading, WAITING>,
}

impl Readings {
    /// Adds a reading; the oldest makes room, and the log says so.
    pub fn add(&self, reading: Reading) {
        if self.channel.try_send(reading).is_ok() {
            return;
        }
        if let Ok(oldest) = self.channel.try_receive() {
            defmt::warn!("mqtt: no room for {=u32}/{=u32}", oldest.boot, oldest.number);
        }
        let _ = self.channel.try_send(reading);
    }
}

/// Where the broker is, and who logs in there.
#[derive(Clone, Copy)]
pub struct Broker<'a> {
    pub name: &'a str,
    pub port: u16,
    pub password: &'a str,
}

impl<'a> Broker<'a> {
    /// Of `name:port:password`.
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(3, ':');
        let (name, port, password) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self { name, port: port.parse().ok()?, password })
    }
}

type Mqtt<'a, 'c> = Client<'a, 'c, TcpSocket<'a>, BumpBuffer<'c>, 1, 1, 1, 0, 0, 0, 0>;

fn failed<const N: usize, A>(error: MqttError<'_, N, A>) -> Classification {
    classify::rust_mqtt(&error)
}

/// Keeps the session for ever.
pub async fn stay_connected(
    stack: Stack<'static>,
    broker: Broker<'_>,
    mut rng: Xoshiro128PlusPlus,
) -> ! {
    // Published, and not acknowledged yet: the next connection publishes it again.
    let in_flight = Cell::new(None);
    loop {
        let mut retry = BROKER
            .on(EmbassyTime, &mut rng)
            .classify(|class: &Classification| *class)
            .breaker(&BROKER_BREAKER)
            .observer(Log)
            .operation("mqtt");
        let session = retry.session(SESSION).on_state(|state| match state {
            SessionState::Up => defmt::info!("mqtt up"),
            SessionState::Healthy => defmt::info!("mqtt healthy"),
            _ => {}
        });
        let ended = session.run_async(async |_: Attempt, link: &Link| -> Result<(), _> {
            serve(stack, broker, link, &in_flight).await
        });
        let Err(_) = ended.await else { continue };
        // A refused login: the broker may have the right password by then.
        defmt::error!("mqtt session over, again in 5 s");
        Timer::after_secs(5).await;
    }
}

/// One connection, until it breaks.
async fn serve(
    stack: Stack<'static>,
    broker: Broker<'_>,
    link: &Link,
    in_flight: &Cell<Option<Reading>>,
) -> Result<(), Classification> {
    let found = stack.dns_query(broker.name, DnsQueryType::A).await;
    let addresses = found.map_err(|error| classify::dns(&error))?;
    let Some(address) = addresses.first() else {
        return Err(Classification::new(ErrorClass::Transient).detail("name without an address"));
    };
    let (mut received, mut sent) = ([0; 512], [0; 512]);
    let mut socket = TcpSocket::new(stack, &mut received, &mut sent);
    let connected = socket.connect((*address, broker.port)).await;
    connected.map_err(|error| classify::connect(&error))?;

    let mut memory = [0; 512];
    let mut buffer = BumpBuffer::new(&mut memory);
    let mut client = Mqtt::new(&mut buffer);
    let mut options = ConnectOptions::new().clean_start();
    options.keep_alive = KeepAlive::Seconds(const { NonZero::new(10).unwrap() });
    options.user_name = MqttString::from_str("node").ok();
    options.password = MqttBinary::from_slice(broker.password.as_bytes()).ok();
    client.connect(socket, &options, MqttString::from_str("node").ok()).await.map_err(failed)?;
    link.up();
    loop {
        if let Some(reading) = in_flight.get() {
            in_time(publish(&mut client, &reading)).await?;
            in_flight.set(None);
            defmt::info!("mqtt acknowledged {=u32}/{=u32}", reading.boot, reading.number);
        }
        match select(READINGS.channel.receive(), Timer::after(IDLE)).await {
            Either::First(reading) => in_flight.set(Some(reading)),
            Either::Second(()) => in_time(ping(&mut client)).await?,
        }
    }
}

/// Ends what the broker does not answer in time. Sending takes part in it: what is sent is flushed,
/// and that waits for the other side.
async fn in_time(
    exchange: impl Future<Output = Result<(), Classification>>,
) -> Result<(), Classification> {
    with_timeout(ANSWER, exchange).await.unwrap_or_else(|error| Err(classify::timeout(&error)))
}

async fn ping(client: &mut Mqtt<'_, '_>) -> Result<(), Classification> {
    client.ping().await.map_err(failed)?;
    answer(client).await
}

/// Publishes a reading and waits until the broker has acknowledged it.
async fn publish(client: &mut Mqtt<'_, '_>, reading: &Reading) -> Result<(), Classification> {
    let mut body = String::<48>::new();
    let Reading { boot, number, celsius } = reading;
    // It fits: two whole numbers of at most ten digits and a temperature.
    let _ = write!(body, "{boot}/{number} {celsius:.2}");
    let Some(topic) = MqttString::from_str("readings").ok().and_then(TopicName::new) else {
        return Err(Classification::new(ErrorClass::Permanent).detail("not a topic"));
    };
    let options = PublicationOptions::new(TopicReference::Name(topic)).at_least_once();
    client.publish(&options, body.as_bytes().into()).await.map_err(failed)?;
    answer(client).await
}

/// Waits for the acknowledgement of a reading, or for the answer to a ping.
async fn answer(client: &mut Mqtt<'_, '_>) -> Result<(), Classification> {
    loop {
        match client.poll().await.map_err(failed)? {
            Event::PublishAcknowledged(_) | Event::Pingresp => return Ok(()),
            Event::PublishRejected(_) => {
                return Err(Classification::new(ErrorClass::Permanent).detail("reading refused"));
            }
            _ => {}
        }
    }
}
