//! The faults, one after the other: what is done, and what the log must show.

use crate::mcu::Trouble;
use crate::mcu::stage::{ELSEWHERE, Finding, SENSOR, Stage};
use crate::service::Fault;

/// Plays all faults; says what was seen of each.
///
/// # Errors
///
/// What the log did not show.
pub(super) async fn play(stage: &mut Stage) -> Result<Vec<Finding>, Trouble> {
    healthy(stage).await?;
    Ok(vec![
        bus_fault(stage).await?,
        hang(stage).await?,
        rate_limit(stage).await?,
        link_down(stage).await?,
        reset_in_flight(stage).await?,
        service_dead(stage).await?,
        reset_while_open(stage).await?,
        sensor_elsewhere(stage).await?,
        sensor_back(stage).await?,
    ])
}

async fn healthy(stage: &mut Stage) -> Result<(), Trouble> {
    stage.say("power on")?;
    stage.power_on(SENSOR).await?;
    stage.sees(&["reading", "posted: 200"]).await?;
    stage.board()?.warm(23_500).await?;
    stage.sees(&["23.5 C posted: 200"]).await?;
    let received = stage.received();
    if !received.contains(r#""celsius":23.50"#) {
        return Err(Trouble::new(format!("the service received {received:?}")));
    }
    Ok(())
}

async fn bus_fault(stage: &mut Stage) -> Result<Finding, Trouble> {
    let fault = "I2C controller switched off";
    stage.say(fault)?;
    stage.board()?.break_bus().await?;
    let decision = stage.sees(&["read sensor", "retry in"]).await?;
    let recovery = stage.sees(&["read sensor", "success after a retry"]).await?;
    Ok(Stage::finding(fault, &decision, &recovery))
}

async fn hang(stage: &mut Stage) -> Result<Finding, Trouble> {
    let fault = "service hangs";
    stage.say(fault)?;
    stage.service(Fault::Hangs { percent: 100 }).await?;
    let decision = stage.sees(&["post reading", "TRANSIENT", "retry in"]).await?;
    stage.service(Fault::None).await?;
    let recovery = stage.sees(&["post reading", "success after a retry"]).await?;
    Ok(Stage::finding(fault, &decision, &recovery))
}

async fn rate_limit(stage: &mut Stage) -> Result<Finding, Trouble> {
    let fault = "service answers 429, Retry-After: 1";
    stage.say(fault)?;
    stage.service(Fault::RateLimit { per_second: 0 }).await?;
    let decision = stage.sees(&["post reading", "RATE_LIMIT", "retry in"]).await?;
    stage.service(Fault::None).await?;
    let recovery = stage.sees(&["post reading", "success after a retry"]).await?;
    Ok(Stage::finding(fault, &decision, &recovery))
}

async fn link_down(stage: &mut Stage) -> Result<Finding, Trouble> {
    let fault = "network link down";
    stage.say(fault)?;
    stage.board()?.link(false).await?;
    let decision = stage.sees(&["post reading", "TRANSIENT", "retry in"]).await?;
    stage.board()?.link(true).await?;
    let recovery = stage.sees(&["post reading", "success after a retry"]).await?;
    Ok(Stage::finding(fault, &decision, &recovery))
}

async fn reset_in_flight(stage: &mut Stage) -> Result<Finding, Trouble> {
    let fault = "power cut, a call in flight";
    stage.say(fault)?;
    stage.service(Fault::RateLimit { per_second: 0 }).await?;
    let decision = stage.sees(&["post reading", "RATE_LIMIT", "retry in"]).await?;
    stage.sees(&["post reading", "saved"]).await?;
    stage.cut_power().await?;
    stage.service(Fault::None).await?;
    stage.power_on(SENSOR).await?;
    let recovery = stage.sees(&["post reading goes on: attempt 2"]).await?;
    stage.sees(&["post reading #2", "success after a retry"]).await?;
    Ok(Stage::finding(fault, &decision, &recovery))
}

async fn service_dead(stage: &mut Stage) -> Result<Finding, Trouble> {
    let fault = "service dead";
    stage.say(fault)?;
    stage.kill_service();
    stage.sees(&["post reading", "TRANSIENT", "retry in"]).await?;
    let decision = stage.sees(&["post reading", "TRANSIENT", "circuit_opened"]).await?;
    stage.sees(&["post reading", "circuit_rejected"]).await?;
    stage.service(Fault::None).await?;
    stage.sees(&["post reading", "circuit_half_open"]).await?;
    let recovery = stage.sees(&["post reading", "circuit_closed"]).await?;
    Ok(Stage::finding(fault, &decision, &recovery))
}

async fn reset_while_open(stage: &mut Stage) -> Result<Finding, Trouble> {
    let fault = "power cut, the breaker open";
    stage.say(fault)?;
    stage.kill_service();
    stage.sees(&["post reading", "circuit_opened"]).await?;
    stage.sees(&["state saved", "network breaker open"]).await?;
    stage.cut_power().await?;
    stage.power_on(SENSOR).await?;
    let decision = stage.sees(&["post reading", "circuit_rejected"]).await?;
    stage.service(Fault::None).await?;
    stage.sees(&["post reading", "circuit_half_open"]).await?;
    let recovery = stage.sees(&["post reading", "circuit_closed"]).await?;
    Ok(Stage::finding(fault, &decision, &recovery))
}

async fn sensor_elsewhere(stage: &mut Stage) -> Result<Finding, Trouble> {
    let fault = "sensor at another address";
    stage.say(fault)?;
    stage.cut_power().await?;
    stage.power_on(ELSEWHERE).await?;
    stage.sees(&["read sensor", "retry in"]).await?;
    let decision = stage.sees(&["read sensor", "stop:"]).await?;
    stage.sees(&["read sensor", "circuit_opened"]).await?;
    let recovery = stage.sees(&["state saved", "sensor breaker open"]).await?;
    Ok(Stage::finding(fault, &decision, &recovery))
}

async fn sensor_back(stage: &mut Stage) -> Result<Finding, Trouble> {
    let fault = "sensor back at its address";
    stage.say(fault)?;
    stage.cut_power().await?;
    stage.power_on(SENSOR).await?;
    let decision = stage.sees(&["read sensor", "circuit_rejected"]).await?;
    stage.sees(&["read sensor", "circuit_half_open"]).await?;
    let recovery = stage.sees(&["read sensor", "circuit_closed"]).await?;
    Ok(Stage::finding(fault, &decision, &recovery))
}
