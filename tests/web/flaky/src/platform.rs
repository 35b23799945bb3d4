//! The clock, the timers and the randomness.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use js_sys::{Array, Function, Object, Reflect, WebAssembly, global};
use redress::random::Draw;
use redress::time::Timer;
use redress::{Clock, Duration};
use redress_web::{WebRandom, WebTime};
use wasm_bindgen::prelude::{Closure, wasm_bindgen};
use wasm_bindgen::{JsCast, JsValue};

use crate::lab::{Done, Lab, Test, equal, holds, shown};

#[wasm_bindgen]
extern "C" {
    /// How many timers are not yet due and not cleared: `tests/web/program.js` counts them.
    #[wasm_bindgen(js_name = openTimers)]
    fn open_timers() -> u32;
}

pub fn tests() -> Vec<Test> {
    crate::tests![
        "a delay takes its time, and no less" => delay,
        "a delay that is dropped clears its timer" => dropped,
        "a hundred thousand delays take no more memory than ten thousand" => no_leak,
        "a delay of two months is waited for in parts" => parts,
        "a delay ends where the clock stands still" => still,
        "random numbers differ, and fill all 32 bits" => random,
        "where crypto refuses, random numbers are those of Math.random" => refused,
    ]
}

async fn delay(_: &Lab) -> Done {
    for micros in [1, 999, 1_001, 5_000, 20_400] {
        let started = WebTime.now();
        WebTime.sleep(Duration::from_micros(micros)).await;
        let took = WebTime.now().since(started).as_micros();
        if !(micros..micros + 2_000_000).contains(&took) {
            return Err(format!("{micros} us took {took} us"));
        }
    }
    equal("open timers", open_timers(), 0)
}

/// Polls a delay once, and drops it.
async fn begin_and_drop(span: Duration) -> u32 {
    let mut time = WebTime;
    let mut sleep = pin!(time.sleep(span));
    poll_fn(|context| {
        let is_pending = sleep.as_mut().poll(context).is_pending();
        Poll::Ready(if is_pending { open_timers() } else { 0 })
    })
    .await
}

async fn dropped(_: &Lab) -> Done {
    equal("open timers during the delay", begin_and_drop(Duration::from_secs(60)).await, 1)?;
    equal("open timers after it", open_timers(), 0)?;
    // The callback is freed while its timer calls it, too.
    WebTime.sleep(Duration::from_millis(1)).await;
    equal("open timers after another", open_timers(), 0)
}

fn memory() -> u32 {
    let memory: WebAssembly::Memory = wasm_bindgen::memory().unchecked_into();
    Reflect::get(&memory.buffer(), &"byteLength".into())
        .ok()
        .and_then(|length| length.as_f64())
        .map_or(0, |length| length as u32)
}

async fn no_leak(_: &Lab) -> Done {
    let repeat = async |times: u32| {
        for _ in 0..times {
            begin_and_drop(Duration::from_secs(60)).await;
        }
        memory()
    };
    let after_some = repeat(10_000).await;
    let after_many = repeat(100_000).await;
    equal("open timers", open_timers(), 0)?;
    equal("memory", after_many, after_some)
}

/// With timers that are due at once, and note how long they were to be.
async fn parts(_: &Lab) -> Done {
    let scope = global();
    let real = Reflect::get(&scope, &"setTimeout".into()).map_err(shown)?;
    let noted = Array::new();
    let fake = {
        let (noted, real) = (noted.clone(), real.clone().unchecked_into::<Function>());
        Closure::<dyn FnMut(JsValue, JsValue) -> JsValue>::new(move |callback, delay_ms| {
            noted.push(&delay_ms);
            real.call2(&JsValue::UNDEFINED, &callback, &0.into()).unwrap_or(JsValue::NULL)
        })
    };
    Reflect::set(&scope, &"setTimeout".into(), fake.as_ref()).map_err(shown)?;
    WebTime.sleep(Duration::from_secs(60 * 86_400)).await;
    Reflect::set(&scope, &"setTimeout".into(), &real).map_err(shown)?;
    let noted: Vec<f64> = noted.iter().filter_map(|delay| delay.as_f64()).collect();
    let longest = f64::from(i32::MAX);
    equal("delays", noted, [longest, longest, 60.0 * 86_400_000.0 - 2.0 * longest])
}

/// As in Cloudflare's network while a program computes.
async fn still(_: &Lab) -> Done {
    let performance = Reflect::get(&global(), &"performance".into()).map_err(shown)?;
    let own = performance.clone().unchecked_into::<Object>();
    let stopped = WebTime.now();
    let millis = stopped.as_micros() as f64 / 1_000.0;
    let fake = Closure::<dyn FnMut() -> f64>::new(move || millis);
    Reflect::set(&own, &"now".into(), fake.as_ref()).map_err(shown)?;
    let is_still = WebTime.now().since(stopped).as_micros() <= 1;
    for micros in [1, 1_000, 7_500] {
        WebTime.sleep(Duration::from_micros(micros)).await;
    }
    Reflect::delete_property(&own, &"now".into()).map_err(shown)?;
    holds("the clock stood still", is_still)?;
    holds("it goes on", WebTime.now() > stopped)
}

async fn random(_: &Lab) -> Done {
    numbers()
}

async fn refused(_: &Lab) -> Done {
    let crypto: Object = Reflect::get(&global(), &"crypto".into()).map_err(shown)?.unchecked_into();
    let asked = Rc::new(Cell::new(0));
    let count = Rc::clone(&asked);
    let fake = Closure::<dyn FnMut() -> Result<(), JsValue>>::new(move || {
        count.set(count.get() + 1);
        Err(JsValue::from_str("refused"))
    });
    Reflect::set(&crypto, &"getRandomValues".into(), fake.as_ref()).map_err(shown)?;
    let result = numbers();
    Reflect::delete_property(&crypto, &"getRandomValues".into()).map_err(shown)?;
    equal("how often it was asked", asked.get(), 256)?;
    result
}

fn numbers() -> Done {
    let drawn: BTreeSet<u32> = (0..256).filter_map(|_| WebRandom.draw()).collect();
    holds("256 numbers differ", drawn.len() > 250)?;
    let (all, common) = drawn.iter().fold((0, u32::MAX), |(or, and), &n| (or | n, and & n));
    equal("bits that are set in one and not in all", all & !common, u32::MAX)
}
