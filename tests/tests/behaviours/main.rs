//! What users expect, one test for each behaviour; tests/BEHAVIOURS.md lists them.

mod abort;
mod breaker;
mod budget;
mod classification;
mod faults;
mod limits;
mod observability;
mod outcomes;
mod retry;
mod sleep;
mod strategies;
mod timeout;
