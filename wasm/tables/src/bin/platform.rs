//! Prints the core's tables of codes, messages and names as a module of JavaScript. A
//! regular expression takes the fewest bytes of a bundle: a table in WebAssembly would
//! bring a way for texts with it.

use redress::ErrorClass;
use redress::classify::{
    ABORT_NAMES, CLIENT_CODES, CLIENT_MESSAGES, CONNECTION_CODES, CONNECTION_MESSAGES, DNS_CODES,
    DOM_EXCEPTIONS, SYSTEM_CODES, TLS_CODES,
};

fn main() {
    println!("export const ABORT_NAMES = /^({})$/;", alternatives(ABORT_NAMES));
    println!("export const CONNECTION_CODES = /^({})$/;", alternatives(CONNECTION_CODES));
    println!("export const CONNECTION_MESSAGES = /^({})/;", alternatives(CONNECTION_MESSAGES));
    by_class("SYSTEM_CODES", SYSTEM_CODES);
    by_class("DOM_EXCEPTIONS", DOM_EXCEPTIONS);
    let certificates = [(ErrorClass::Permanent, TLS_CODES)];
    by_class("CODES", &[DNS_CODES, &certificates].concat());
    by_class("CLIENT_CODES", CLIENT_CODES);
    beginnings("CLIENT_MESSAGES", CLIENT_MESSAGES);
}

fn by_class(name: &str, table: &[(ErrorClass, &[&str])]) {
    println!("export const {name} = [");
    for (class, words) in table {
        println!("  [\"{}\", /^({})$/],", class.as_str(), alternatives(words));
    }
    println!("];");
}

fn beginnings(name: &str, table: &[(ErrorClass, &[&str])]) {
    println!("export const {name} = [");
    for (class, words) in table {
        println!("  [\"{}\", /^({})/],", class.as_str(), alternatives(words));
    }
    println!("];");
}

/// # Panics
///
/// If a word has a letter that means something in a regular expression.
fn alternatives(words: &[&str]) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || " _:".contains(letter);
    for word in words {
        assert!(word.chars().all(plain), "{word:?}: letters, digits, spaces, _ and : only");
    }
    words.join("|")
}
