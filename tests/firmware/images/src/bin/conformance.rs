//! Runs the cases of a shard and writes an answer to each.
//!
//! Arguments: the shard, and where the answers go; both are files of the host.

#![no_std]
#![no_main]

use core::cell::UnsafeCell;
use core::ffi::CStr;

use firmware::arena::Arena;
use firmware::engine::{self, Driver};
use firmware::{errors, image};
use redress_wire::answer::{Answer, Refusal};
use redress_wire::case::{CASE_BYTES, Case};
use redress_wire::digest::Digest;
use semihosting::experimental::env;
use semihosting::fs::File;
use semihosting::io::{self, Read, Write};
use semihosting::println;

static PLACES: Arena<320> = Arena::new();

/// The case at hand. Too large for the stack of the smallest board.
struct Buffer(UnsafeCell<[u8; CASE_BYTES]>);

// SAFETY: only `run` takes it, once.
unsafe impl Sync for Buffer {}

static CASE: Buffer = Buffer(UnsafeCell::new([0; CASE_BYTES]));

fn main() -> bool {
    match run() {
        Ok(cases) => {
            println!("ran {cases}");
            cases > 0
        }
        Err(why) => {
            println!("error: {why:?}");
            false
        }
    }
}

image!(main);

/// An argument as a path that ends in a zero.
fn path<'b>(argument: Option<&str>, room: &'b mut [u8; 256]) -> io::Result<&'b CStr> {
    let argument = argument.ok_or(io::ErrorKind::InvalidInput)?.as_bytes();
    room.get_mut(..argument.len()).ok_or(io::ErrorKind::InvalidInput)?.copy_from_slice(argument);
    CStr::from_bytes_until_nul(room).map_err(|_| io::ErrorKind::InvalidInput.into())
}

fn run() -> io::Result<u32> {
    // SAFETY: called once, so this is the only reference.
    let buffer = unsafe { &mut *CASE.0.get() };
    let (mut shard, mut answers) = {
        let arguments = env::args::<512>()?;
        let mut arguments = (&arguments).into_iter().flatten().skip(1);
        let (mut from, mut to) = ([0; 256], [0; 256]);
        (
            File::open(path(arguments.next(), &mut from)?)?,
            File::create(path(arguments.next(), &mut to)?)?,
        )
    };
    let mut digests = [Digest::default(); 3];
    let mut cases = 0;
    let mut length = [0; 2];
    while shard.read_exact(&mut length).is_ok() {
        let length = usize::from(u16::from_le_bytes(length));
        let bytes = buffer.get_mut(..length).ok_or(io::ErrorKind::InvalidData)?;
        shard.read_exact(bytes)?;
        let answer = answer(bytes, &mut digests).unwrap_or_else(Answer::Refused);
        answers.write_all(&answer.to_bytes())?;
        cases += 1;
    }
    Ok(cases)
}

fn answer(bytes: &[u8], digests: &mut [Digest; 3]) -> Result<Answer, Refusal> {
    match postcard::from_bytes(bytes).map_err(|_| Refusal::Garbled)? {
        Case::Error(error) => errors::classify(&error).map(Answer::Class).ok_or(Refusal::Garbled),
        Case::Scenario(scenario) => {
            let mut drivers = [(0, 0); 3];
            for (i, driver) in Driver::ALL.into_iter().enumerate() {
                // SAFETY: what a run leaves behind are numbers.
                let observed = unsafe {
                    PLACES.run(|places| engine::run(&scenario, driver, &mut digests[i], places))
                }?;
                drivers[i] = (digests[i].value(), observed.value());
            }
            Ok(Answer::Ran(drivers))
        }
    }
}
