//! The conformance vectors on a target: the host feeds inputs, the target decides.
//!
//! A scenario passes if it passes on the host, the target's digest after it is the
//! host's for each of the three drivers, and what was observed after each call on the
//! target is what the vector expects.

use std::fs;
use std::path::{Path, PathBuf};

use redress::event::CircuitState;
use redress_tests::classifiers;
use redress_tests::digest::Digest;
use redress_tests::engine::{self, Driver};
use redress_tests::report::Report;
use redress_tests::schema::{Expect, Scenario};
use redress_wire::answer::{ANSWER_BYTES, Answer, Refusal};
use redress_wire::case::CASE_BYTES;
use serde_json::Value;

use crate::board::{Board, said};
use crate::encode;

/// Runs all cases of the files on the board.
///
/// # Errors
///
/// If a file cannot be read, or the image cannot be built or run.
pub(crate) fn run(board: Board, files: &[PathBuf]) -> Result<Report, String> {
    let mut cases = Vec::new();
    for file in files {
        let read = |why: String| format!("{}: {why}", file.display());
        let text = fs::read_to_string(file).map_err(|why| read(why.to_string()))?;
        let array: Vec<Value> = serde_json::from_str(&text)
            .map_err(|why| read(format!("not a JSON array of cases: {why}")))?;
        cases.extend(array);
    }
    let mut shard = Vec::new();
    for (i, case) in cases.iter().enumerate() {
        let bytes = encode_case(case).map_err(|why| format!("case {}: {why}", i + 1))?;
        if bytes.len() > CASE_BYTES {
            let found = bytes.len();
            return Err(format!("case {} has {found} bytes, at most {CASE_BYTES} fit", i + 1));
        }
        shard.extend(u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_le_bytes());
        shard.extend(bytes);
    }
    let answers = ask(board, &shard)?;
    if answers.len() != cases.len() {
        return Err(format!("{} cases were sent, {} answered", cases.len(), answers.len()));
    }
    let mut report = Report::default();
    let mut host = [Digest::default(); 3];
    let mut target = host[0].value();
    for (i, (case, answer)) in cases.into_iter().zip(answers).enumerate() {
        if case.get("classifier").is_some() {
            judge_error(i, &case, answer, &mut report);
        } else {
            if let Answer::Ran(drivers) = answer {
                target = drivers[0].0;
            }
            judge_scenario(case, answer, &mut host, &mut report)?;
        }
    }
    let digests = if target == host[0].value() {
        Ok(())
    } else {
        Err(format!("{target:016x}, on the host {}", host[0]))
    };
    report.count("the digest of everything", digests);
    println!("digest {target:016x}");
    Ok(report)
}

fn encode_case(case: &Value) -> Result<Vec<u8>, String> {
    if case.get("classifier").is_none() {
        let scenario: Scenario = serde_json::from_value(case.clone())
            .map_err(|why| format!("not of the schema: {why}"))?;
        return encode::scenario(&scenario);
    }
    let mut encoded = Err("the case has no error".to_owned());
    // It is judged with the target's answer; here only its error is wanted.
    let judged = classifiers::judge(case, |classifier, facts| {
        encoded = encode::error(classifier, facts);
        Err("not asked yet".to_owned())
    });
    if encoded.is_err() { judged.and(encoded) } else { encoded }
}

/// Sends the shard and returns the answers.
fn ask(board: Board, shard: &[u8]) -> Result<Vec<Answer>, String> {
    let image = board.build("conformance", "")?;
    let folder = std::env::temp_dir().join(format!("redress-firmware-{}", std::process::id()));
    let (from, to) = (folder.join("shard"), folder.join("answers"));
    let result = exchange(board, &image, shard, &folder, &from, &to);
    let _ = fs::remove_dir_all(&folder);
    let bytes = result?;
    bytes
        .chunks(ANSWER_BYTES)
        .map(|chunk| chunk.try_into().ok().and_then(Answer::from_bytes))
        .collect::<Option<_>>()
        .ok_or_else(|| "an answer of the target is none".to_owned())
}

fn exchange(
    board: Board,
    image: &Path,
    shard: &[u8],
    folder: &Path,
    from: &Path,
    to: &Path,
) -> Result<Vec<u8>, String> {
    let file = |why: std::io::Error| format!("{}: {why}", folder.display());
    fs::create_dir_all(folder).map_err(file)?;
    fs::write(from, shard).map_err(file)?;
    let output = board.emulate(image, &[from, to], &[])?;
    if !output.status.success() {
        return Err(format!("the image failed ({}): {}", output.status, said(&output)));
    }
    fs::read(to).map_err(file)
}

fn deviation(
    tags: &[(&'static str, &'static str)],
    tag: &str,
) -> Option<(&'static str, &'static str)> {
    tags.iter().copied().find(|(name, _)| *name == tag)
}

fn judge_error(index: usize, case: &Value, answer: Answer, report: &mut Report) {
    let tag = case.get("quirk").and_then(Value::as_str).unwrap_or_default();
    if let Some((tag, reason)) = deviation(classifiers::DEVIATIONS, tag) {
        return report.skip(tag, reason);
    }
    let judged = classifiers::judge(case, |_, _| match answer {
        Answer::Class(classification) => Ok(classification),
        other => Err(format!("answered {other:?}")),
    });
    report.count(&format!("classifier case {}", index + 1), judged);
}

fn judge_scenario(
    case: Value,
    answer: Answer,
    host: &mut [Digest; 3],
    report: &mut Report,
) -> Result<(), String> {
    let scenario: Scenario =
        serde_json::from_value(case).map_err(|why| format!("not of the schema: {why}"))?;
    let mut result = Ok(());
    for (driver, digest) in Driver::ALL.into_iter().zip(host.iter_mut()) {
        result = result.and(engine::run(&scenario, driver, digest));
    }
    let quirks = &scenario.quirks;
    if let Some((tag, reason)) = quirks.iter().find_map(|q| deviation(engine::DEVIATIONS, q)) {
        report.skip(tag, reason);
    } else {
        let result = result.and_then(|()| compare(&scenario, answer, host));
        report.count(&scenario.name, result);
    }
    Ok(())
}

fn compare(scenario: &Scenario, answer: Answer, host: &[Digest; 3]) -> Result<(), String> {
    let drivers = match answer {
        Answer::Ran(drivers) => drivers,
        Answer::Refused(Refusal::Garbled) => return Err("the target cannot decode it".into()),
        Answer::Refused(Refusal::Config) => {
            return Err("its policy does not build on the target: beyond its capacity?".into());
        }
        Answer::Refused(Refusal::Room) => {
            return Err("the target has no room for its strategies".into());
        }
        Answer::Class(_) => return Err("answered as if it were an error".into()),
    };
    let mut expected = Digest::default();
    for call in &scenario.expect {
        observe(call, &mut expected)?;
    }
    for ((driver, (digest, observed)), host) in Driver::ALL.into_iter().zip(drivers).zip(host) {
        if digest != host.value() {
            return Err(format!("{driver:?}: digest {digest:016x}, on the host {host}"));
        }
        if observed != expected.value() {
            return Err(format!("{driver:?}: breaker, budget, draws or clock are not as expected"));
        }
    }
    Ok(())
}

/// What the target must have observed, calls made during attempts first.
fn observe(expect: &Expect, digest: &mut Digest) -> Result<(), String> {
    for call in &expect.during {
        observe(call, digest)?;
    }
    let state = match expect.breaker_state.as_deref() {
        None => None,
        Some("closed") => Some(CircuitState::Closed),
        Some("open") => Some(CircuitState::Open),
        Some("half_open") => Some(CircuitState::HalfOpen),
        Some(other) => return Err(format!("{other:?} is no state of a breaker")),
    };
    let drawn = u32::try_from(expect.rng_used).unwrap_or(u32::MAX);
    digest.observed(state, expect.budget_remaining, drawn, expect.clock_us);
    Ok(())
}
