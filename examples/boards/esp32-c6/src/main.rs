//! A Wi-Fi join on an ESP32-C6 that is made again whenever the connection breaks.

#![no_std]
#![no_main]

mod class;

use embassy_executor::Spawner;
use embassy_time::Timer;
use esp_hal::clock::CpuClock;
use esp_hal::interrupt::software::SoftwareInterruptControl;
use esp_hal::ram;
use esp_hal::rng::Rng;
use esp_hal::timer::timg::TimerGroup;
use esp_println::println;
use esp_radio::wifi::sta::StationConfig;
use esp_radio::wifi::{Config, ControllerConfig, WifiController, WifiError};
use redress::random::from_fn;
use redress::session::{Link, SessionConfig, SessionState};
use redress::{Attempt, Backoff, Duration, ErrorClass, Event, Policy, Retry, policy, settings};
use redress_embassy::EmbassyTime;

settings! {
    /// A first join reports a wrong password falsely: two more attempts tell whether it is one.
    Join: Policy = policy! {
        Policy::builder()
            .max_attempts(8)
            .no_deadline()
            .attempt_timeout(Duration::from_secs(15))
            .retriable(ErrorClass::Auth, 2)
            .backoff(Backoff::equal_jitter(Duration::from_secs(1), Duration::from_secs(60)))
    }
}

/// The backoff begins anew after half a minute; nodes whose power returns at once do not join at once.
const SESSION: SessionConfig =
    SessionConfig::new().healthy_after(Duration::from_secs(30)).spread(Duration::from_secs(2));

/// After a wrong password: the operator may set the right one at the access point.
const REST_SECS: u64 = 300;

/// Of the network, when the image is built.
const SSID: &str = match option_env!("SSID") {
    Some(ssid) => ssid,
    None => "network",
};
const PASSWORD: &str = match option_env!("PASSWORD") {
    Some(password) => password,
    None => "password",
};

esp_bootloader_esp_idf::esp_app_desc!();

#[panic_handler]
fn panic(why: &core::panic::PanicInfo<'_>) -> ! {
    println!("{why}");
    esp_hal::system::software_reset()
}

#[esp_rtos::main]
async fn main(_spawner: Spawner) -> ! {
    let board = esp_hal::init(esp_hal::Config::default().with_cpu_clock(CpuClock::max()));
    esp_alloc::heap_allocator!(#[ram(reclaimed)] size: 64 * 1024);
    esp_alloc::heap_allocator!(size: 36 * 1024);
    let timers = TimerGroup::new(board.TIMG0);
    let interrupts = SoftwareInterruptControl::new(board.SW_INTERRUPT);
    esp_rtos::start(timers.timer0, interrupts.software_interrupt0);

    let station = StationConfig::default().with_ssid(SSID).with_password(PASSWORD.into());
    let config = ControllerConfig::default().with_initial_config(Config::Station(station));
    // `interfaces.station` is the device of embassy-net.
    let (controller, _interfaces) = match esp_radio::wifi::new(board.WIFI, config) {
        Ok(radio) => radio,
        Err(why) => panic!("the radio does not start: {why:?}"),
    };
    stay_joined(controller).await
}

/// Joins, waits until the connection breaks, and joins again.
async fn stay_joined(mut controller: WifiController<'_>) -> ! {
    let rng = Rng::new();
    let mut retry = Retry::new(Join, EmbassyTime, from_fn(move || rng.random()))
        .classify(class::of_wifi)
        .operation("join")
        .on_event(note);
    loop {
        let session = retry.session(SESSION).on_state(|state| match state {
            SessionState::Up => println!("joined {SSID}"),
            SessionState::Healthy => println!("healthy"),
            _ => {}
        });
        let ended = session.run_async(async |_: Attempt, link: &Link| -> Result<(), _> {
            controller.connect_async().await?;
            link.up();
            Err(WifiError::Disconnected(controller.wait_for_disconnect_async().await?))
        });
        let Err(why) = ended.await else { continue };
        println!("not joined, again in {REST_SECS} s: {:?}", why.stop_reason());
        Timer::after_secs(REST_SECS).await;
    }
}

/// A decision in one line.
fn note(event: &Event<'_>) {
    let Event { operation, attempt, kind, delay, .. } = event;
    let class = event.class.map_or("", |class| class.as_str());
    let detail = event.detail.unwrap_or("no answer in time");
    println!("{operation} #{attempt} {class} ({detail}) {kind}, {delay}");
}
