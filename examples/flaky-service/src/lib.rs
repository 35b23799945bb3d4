//! A really flaky HTTP service, and one load on it made twice: through redress and
//! through a naive retry loop.
//!
//! | file | what it is |
//! | --- | --- |
//! | `service` | the service: a script of faults over time, on real sockets |
//! | `load` | who calls when, and what became of it |
//! | `guarded` | the calls through redress: policy, breaker, budget |
//! | `naive` | the calls through a retry loop as people write them |
//! | `view` | what the terminal shows meanwhile |
//! | `report` | the table at the end |

pub mod guarded;
pub mod load;
pub mod naive;
pub mod report;
pub mod service;
pub mod view;
