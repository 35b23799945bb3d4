//! The servers that have real clients fail: those of the system in folders of their own, and sockets
//! and servers of this process. The program of this package and `examples/axum-service` use them.

#![expect(clippy::missing_errors_doc, reason = "every error is a server that does not do its part")]

pub mod servers;

/// Why a server cannot do its part.
pub type Failure = Box<dyn std::error::Error>;
