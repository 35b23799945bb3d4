//! Texts in and out of the module's memory.

use std::cell::RefCell;

use wasm_bindgen::prelude::wasm_bindgen;

thread_local! {
    static QUESTION: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static ANSWER: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Room for a question of so many bytes.
#[wasm_bindgen]
pub fn question(bytes: usize) -> *mut u8 {
    QUESTION.with_borrow_mut(|question| {
        question.resize(bytes, 0);
        question.as_mut_ptr()
    })
}

/// Answers the question that was written there: how many bytes it has, 0 if the question
/// could not be read.
#[wasm_bindgen]
pub fn ask() -> usize {
    let answer = QUESTION.with_borrow(|question| {
        let text = core::str::from_utf8(question).ok()?;
        crate::answer(text).ok()
    });
    ANSWER.set(answer.unwrap_or_default());
    ANSWER.with_borrow(String::len)
}

/// Where the answer is.
#[wasm_bindgen]
pub fn answer() -> *const u8 {
    ANSWER.with_borrow(|answer| answer.as_ptr())
}
