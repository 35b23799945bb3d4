//! The tables of databases, gRPC, AWS and Redis.

use redress::ErrorClass;
use redress::classify::{
    Facts, Library, aws, grpc, grpc_code, odbc, redis, redis_message, sqlstate, sqlstate_code,
};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::facts::{facts, noted};

/// The class of an error, by a rule: 0 SQLSTATE, 1 ODBC, 2 gRPC, 3 AWS, 4 Redis; by a code alone:
/// 5 SQLSTATE, 6 gRPC, 7 a reply of Redis.
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
    noted(match rule {
        0 => sqlstate(&known),
        1 => odbc(&known),
        2 => grpc(&known),
        3 => aws(&Facts { library: Library::Aws, ..known }),
        4 => redis(&Facts { library: Library::Redis, ..known }),
        5 => sqlstate_code(known.sqlstate).unwrap_or(ErrorClass::Unknown).into(),
        6 => number(known.code, known.message).unwrap_or(ErrorClass::Unknown).into(),
        _ => redis_message(known.message).unwrap_or(ErrorClass::Unknown).into(),
    })
}

fn number(code: Option<i64>, message: &str) -> Option<ErrorClass> {
    grpc_code(i32::try_from(code?).ok()?, message)
}
