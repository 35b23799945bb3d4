//! The tables of databases, gRPC, AWS and Redis.

use redress::classify::{Facts, Library, aws, grpc, odbc, redis, sqlstate};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::facts::{facts, told};

/// The class of an error, by a rule: 0 SQLSTATE, 1 ODBC, 2 gRPC, 3 AWS, 4 Redis.
#[wasm_bindgen]
pub fn classify(
    rule: u32,
    marker: u32,
    status: f64,
    status_code: f64,
    code: f64,
    hint: f64,
    now_unix_secs: f64,
) -> u32 {
    let known = facts(marker, status, status_code, code, hint, now_unix_secs);
    told(match rule {
        0 => sqlstate(&known),
        1 => odbc(&known),
        2 => grpc(&known),
        3 => aws(&Facts { library: Library::Aws, ..known }),
        _ => redis(&Facts { library: Library::Redis, ..known }),
    })
}
