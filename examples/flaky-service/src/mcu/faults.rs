//! The faults, one after the other: what is done, and what the log must show.

use std::time::Duration;

use crate::mcu::Trouble;
use crate::mcu::stage::{ELSEWHERE, Finding, SENSOR, Stage};
use crate::service::Fault;

/// What a call of the node that came through a fault says.
const RECOVERED: &[&str] = &["post reading", "success after a retry"];

/// Plays all faults; says what was seen of each.
///
/// # Errors
///
/// What the log did not show.
pub(super) async fn play(stage: &mut Stage) -> Result<Vec<Finding>, Trouble> {
    healthy(stage).await?;
    let mut findings = vec![bus_fault(stage).await?];
    findings.push(hang(rested(stage).await?).await?);
    findings.push(rate_limit(rested(stage).await?).await?);
    findings.push(link_down(rested(stage).await?).await?);
    findings.push(power_cut_in_flight(rested(stage).await?).await?);
    findings.push(service_dead(rested(stage).await?).await?);
    findings.push(power_cut_while_open(rested(stage).await?).await?);
    findings.push(power_cut_while_probing(rested(stage).await?).await?);
    findings.push(sensor_elsewhere(rested(stage).await?).await?);
    findings.push(slot_damaged(rested(stage).await?).await?);
    findings.push(all_damaged(rested(stage).await?).await?);
    rested(stage).await?;
    Ok(findings)
}

/// The stage after some readings without a fault, which fill the retry budget.
async fn rested(stage: &mut Stage) -> Result<&mut Stage, Trouble> {
    for _ in 0..3 {
        stage.sees(&["posted: 200"]).await?;
    }
    Ok(stage)
}

async fn healthy(stage: &mut Stage) -> Result<(), Trouble> {
    stage.say("power on")?;
    stage.power_on(SENSOR).await?;
    stage.sees(&["posted: 200"]).await?;
    stage.board()?.warm(23_500).await?;
    stage.sees(&["23.5 C posted: 200"]).await?;
    let received = stage.received();
    if !received.contains(r#""celsius":23.50"#) {
        return Err(Trouble::new(format!("the service received {received:?}")));
    }
    rested(stage).await?;
    Ok(())
}

async fn bus_fault(stage: &mut Stage) -> Result<Finding, Trouble> {
    let fault = "I2C controller switched off";
    stage.say(fault)?;
    stage.board()?.break_bus().await?;
    let decisions = stage.sees_all(&[&["read sensor #1 TRANSIENT (bus error) retry in"]]).await?;
    let recovery = stage.sees_all(&[&["read sensor", "success after a retry"]]).await?;
    Ok(Finding { fault, decisions, recovery })
}

async fn hang(stage: &mut Stage) -> Result<Finding, Trouble> {
    let fault = "service hangs";
    stage.say(fault)?;
    stage.service(Fault::Hangs { percent: 100 }).await?;
    let decisions =
        stage.sees_all(&[&["post reading", "TRANSIENT (no answer in time) retry in"]]).await?;
    stage.service(Fault::None).await?;
    let recovery = stage.sees_all(&[RECOVERED]).await?;
    Ok(Finding { fault, decisions, recovery })
}

async fn rate_limit(stage: &mut Stage) -> Result<Finding, Trouble> {
    let fault = "service answers 429, Retry-After: 1";
    stage.say(fault)?;
    stage.service(Fault::RateLimit { per_second: 0 }).await?;
    let decisions = stage.sees_all(&[&["post reading", "RATE_LIMIT", "retry in 1"]]).await?;
    stage.service(Fault::None).await?;
    let recovery = stage.sees_all(&[RECOVERED]).await?;
    Ok(Finding { fault, decisions, recovery })
}

async fn link_down(stage: &mut Stage) -> Result<Finding, Trouble> {
    let fault = "network link down";
    stage.say(fault)?;
    stage.board()?.link(false).await?;
    let decisions =
        stage.sees_all(&[&["post reading", "TRANSIENT (no answer in time) retry in"]]).await?;
    stage.board()?.link(true).await?;
    let recovery = stage.sees_all(&[RECOVERED]).await?;
    Ok(Finding { fault, decisions, recovery })
}

async fn power_cut_in_flight(stage: &mut Stage) -> Result<Finding, Trouble> {
    let fault = "power cut, a call in flight";
    stage.say(fault)?;
    stage.service(Fault::RateLimit { per_second: 0 }).await?;
    let decisions = stage
        .sees_all(&[
            &["post reading #1 RATE_LIMIT", "retry in 1"],
            &["post reading saved, next attempt in"],
        ])
        .await?;
    stage.cut_power().await?;
    stage.service(Fault::None).await?;
    stage.power_on(SENSOR).await?;
    let recovery = stage
        .sees_all(&[
            &["restored:", "a call in flight"],
            &["post reading goes on after the reset: attempt 2"],
            &["post reading #2 success after a retry"],
        ])
        .await?;
    Ok(Finding { fault, decisions, recovery })
}

async fn service_dead(stage: &mut Stage) -> Result<Finding, Trouble> {
    let fault = "service dead";
    stage.say(fault)?;
    stage.kill_service();
    let decisions = stage
        .sees_all(&[
            &["post reading", "TRANSIENT (connection", "retry in"],
            &["post reading", "TRANSIENT (connection", "stop: BUDGET_EXHAUSTED"],
            &["post reading", "circuit_opened"],
            &["post reading", "circuit_rejected"],
        ])
        .await?;
    stage.service(Fault::None).await?;
    let recovery = closes(stage, "post reading").await?;
    Ok(Finding { fault, decisions, recovery })
}

async fn power_cut_while_open(stage: &mut Stage) -> Result<Finding, Trouble> {
    let fault = "power cut, the breaker open";
    stage.say(fault)?;
    stage.kill_service();
    let decisions = stage
        .sees_all(&[
            &["post reading", "TRANSIENT", "stop:"],
            &["post reading circuit_opened"],
            &["state saved", "network breaker open"],
        ])
        .await?;
    stage.cut_power().await?;
    stage.service(Fault::None).await?;
    stage.power_on(SENSOR).await?;
    let mut recovery = stage
        .sees_all(&[
            &["restored: network breaker open, next probe in"],
            &["post reading", "circuit_rejected"],
        ])
        .await?;
    recovery.extend(closes(stage, "post reading").await?);
    Ok(Finding { fault, decisions, recovery })
}

async fn power_cut_while_probing(stage: &mut Stage) -> Result<Finding, Trouble> {
    let fault = "power cut, a probe in flight";
    stage.say(fault)?;
    stage.kill_service();
    stage.sees(&["post reading circuit_opened"]).await?;
    stage.service(Fault::RateLimit { per_second: 0 }).await?;
    let decisions = stage
        .sees_all(&[
            &["post reading circuit_half_open"],
            &["post reading #1 RATE_LIMIT", "retry in 1"],
            &["post reading saved, next attempt in"],
        ])
        .await?;
    stage.cut_power().await?;
    stage.service(Fault::None).await?;
    stage.power_on(SENSOR).await?;
    let recovery = stage
        .sees_all(&[
            &["restored: network breaker half_open"],
            &["post reading goes on after the reset: attempt 2"],
            &["post reading #2 success after a retry"],
            &["post reading circuit_closed"],
        ])
        .await?;
    stage.sees(&["state saved: sensor breaker closed, network breaker closed"]).await?;
    Ok(Finding { fault, decisions, recovery })
}

async fn sensor_elsewhere(stage: &mut Stage) -> Result<Finding, Trouble> {
    let fault = "sensor at another address";
    stage.say(fault)?;
    stage.cut_power().await?;
    stage.power_on(ELSEWHERE).await?;
    let decisions = stage
        .sees_all(&[
            &["read sensor", "TRANSIENT (no device acknowledges the address)", "retry in"],
            &["read sensor", "TRANSIENT (no device acknowledges the address)", "stop:"],
            &["read sensor", "circuit_opened"],
            &["state saved", "sensor breaker open"],
        ])
        .await?;
    stage.cut_power().await?;
    stage.say("the power stays off for 3 s, longer than the breaker is open")?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    stage.power_on(SENSOR).await?;
    let mut recovery =
        stage.sees_all(&[&["start 6 after"], &["restored: sensor breaker open"]]).await?;
    recovery.extend(closes(stage, "read sensor").await?);
    Ok(Finding { fault, decisions, recovery })
}

async fn slot_damaged(stage: &mut Stage) -> Result<Finding, Trouble> {
    let fault = "newest slot of the EEPROM damaged";
    stage.say(fault)?;
    stage.cut_power().await?;
    stage.damage(false)?;
    stage.power_on(SENSOR).await?;
    // The record before the damaged one is from when the sensor was elsewhere.
    let decisions = stage.sees_all(&[&["start 7"], &["restored: sensor breaker open"]]).await?;
    let recovery = stage.sees_all(&[&["read sensor circuit_closed"], &["posted: 200"]]).await?;
    Ok(Finding { fault, decisions, recovery })
}

async fn all_damaged(stage: &mut Stage) -> Result<Finding, Trouble> {
    let fault = "EEPROM full of rubbish";
    stage.say(fault)?;
    stage.cut_power().await?;
    stage.damage(true)?;
    stage.power_on(SENSOR).await?;
    let decisions = stage.sees_all(&[&["no state in the EEPROM: a fresh start"]]).await?;
    let recovery = stage.sees_all(&[&["start 1"], &["posted: 200"]]).await?;
    Ok(Finding { fault, decisions, recovery })
}

/// A breaker that lets a probe through, closes, and is saved so.
async fn closes(stage: &mut Stage, operation: &str) -> Result<Vec<String>, Trouble> {
    let lines: [&[&str]; 2] = [&[operation, "circuit_half_open"], &[operation, "circuit_closed"]];
    let seen = stage.sees_all(&lines).await?;
    stage.sees(&["state saved: sensor breaker closed, network breaker closed"]).await?;
    Ok(seen)
}
