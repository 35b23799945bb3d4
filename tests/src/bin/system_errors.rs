//! Prints the class of every error of this operating system, by its number: the core's
//! table, which the npm package's codes are held against.

use std::io::Error;

use redress::classify::io_kind;

fn main() {
    for number in 1..=133 {
        println!("{number} {}", io_kind(Error::from_raw_os_error(number).kind()).as_str());
    }
}
