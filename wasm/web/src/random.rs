//! The platform's randomness: [`WebRandom`].

use js_sys::{Math, Uint32Array};
use redress::random::Draw;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

#[wasm_bindgen]
extern "C" {
    type Crypto;

    #[wasm_bindgen(thread_local_v2, js_name = crypto)]
    static CRYPTO: Option<Crypto>;

    #[wasm_bindgen(method, catch, js_name = getRandomValues)]
    fn get_random_values(this: &Crypto, into: &Uint32Array) -> Result<(), JsValue>;
}

/// The platform's random numbers, `crypto.getRandomValues()`.
///
/// Nothing is drawn before a policy needs a number, as workerd forbids randomness at module
/// scope. Where the platform has no `crypto` or refuses, the number is one of `Math.random()`,
/// which is good enough for jitter.
#[derive(Clone, Copy, Debug, Default)]
pub struct WebRandom;

impl Draw for WebRandom {
    #[expect(clippy::cast_sign_loss, reason = "`Math.random()` is never negative")]
    fn draw(&mut self) -> Option<u32> {
        // An array of JavaScript's, not of this memory: a memory that threads share is refused.
        let number = Uint32Array::new_with_length(1);
        let drawn = CRYPTO.with(|crypto| {
            crypto.as_ref().is_some_and(|crypto| crypto.get_random_values(&number).is_ok())
        });
        Some(if drawn { number.get_index(0) } else { (Math::random() * 4_294_967_296.0) as u32 })
    }
}
