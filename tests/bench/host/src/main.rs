//! Calls of redress and of its peers, each in a function that callgrind can count.
//!
//! `bench-host list` names the cases, one on a line, in an order that numbers them
//! from 0; `calls NUMBER COUNT` runs one for callgrind; `time NUMBER` and
//! `heap NUMBER` print nanoseconds and allocations of a call; `sizes` prints what
//! states take. `run.py` makes tables of it.

mod case;
mod heap;
mod on_tokio;
mod ours;
mod peers;
mod sizes;

use std::process::ExitCode;

use case::{Bench, Case};

#[global_allocator]
static HEAP: heap::Counting = heap::Counting;

fn cases() -> impl Iterator<Item = &'static Case> {
    ours::CASES.iter().chain(peers::CASES).chain(on_tokio::CASES)
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (bench, number) = match arguments[..] {
        ["list"] => {
            for Case { scenario, library, what, symbol, .. } in cases() {
                println!("{scenario}\t{library}\t{what}\t{symbol}");
            }
            return ExitCode::SUCCESS;
        }
        ["sizes"] => {
            sizes::print();
            return ExitCode::SUCCESS;
        }
        ["calls", number, count] => (count.parse().ok().map(Bench::Calls), number),
        ["time", number] => (Some(Bench::Time(0.0)), number),
        ["heap", number] => (Some(Bench::Heap(0.0)), number),
        _ => (None, ""),
    };
    let case = number.parse().ok().and_then(|number| cases().nth(number));
    let (Some(mut bench), Some(case)) = (bench, case) else {
        eprintln!(
            "usage: bench-host list | sizes | calls NUMBER COUNT | time NUMBER | heap NUMBER"
        );
        return ExitCode::from(2);
    };
    (case.run)(&mut bench);
    match bench {
        Bench::Calls(_) => {}
        Bench::Time(nanos) => println!("{nanos:.1}"),
        Bench::Heap(allocations) => println!("{allocations}"),
    }
    ExitCode::SUCCESS
}
