//! The tables of single databases, brokers and services.

use redress::ErrorClass;
use redress::classify::{
    Facts, Verdict, amqp_code, kafka_name, llm_code, mongodb_error, mqtt3_code, mqtt5_code,
    mssql_code, mssql_name, mysql_code, mysql_name, nats_code, prisma_code, smtp_code, sqlite_code,
    sqlite_name,
};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::facts::{facts, noted};

/// The class of a code, by a rule; UNKNOWN if its table does not have it. The symbolic code is the
/// name; rules that need more have it as the SQLSTATE, the message and the gRPC status.
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
    noted(by_rule(rule, &known).unwrap_or(ErrorClass::Unknown).into())
}

fn by_rule(rule: u32, known: &Facts<'_>) -> Option<ErrorClass> {
    let Facts { name, sqlstate, message, .. } = *known;
    let small = known.code.and_then(|code| u16::try_from(code).ok());
    let number = known.code.and_then(|code| i32::try_from(code).ok());
    match rule {
        0 => {
            small.and_then(|code| mysql_code(code, sqlstate, message)).or_else(|| mysql_name(name))
        }
        1 => failure(number.and_then(sqlite_code).or_else(|| sqlite_name(name))),
        2 => number.and_then(mssql_code).or_else(|| failure(mssql_name(name))),
        3 => {
            let labels = known.grpc.unwrap_or_default().split_ascii_whitespace();
            mongodb_error(number, labels, name)
        }
        4 => prisma_code(name, sqlstate),
        // The status is whether the client calls the error retriable.
        5 => kafka_name(name, known.status.map(|retriable| retriable != 0)),
        6 => small.and_then(amqp_code),
        7 => nats_code(name),
        8 => {
            let reason = small.and_then(|code| u8::try_from(code).ok())?;
            mqtt3_code(reason).or_else(|| mqtt5_code(reason))
        }
        9 => small.and_then(smtp_code),
        _ => llm_code(name),
    }
}

/// JavaScript's classifiers have no word for an operation that the program cancelled. PERMANENT
/// is what comes closest: it is not retried.
fn failure(verdict: Option<Verdict>) -> Option<ErrorClass> {
    Some(match verdict? {
        Verdict::Failure(found) => found.class,
        Verdict::Abort => ErrorClass::Permanent,
    })
}
