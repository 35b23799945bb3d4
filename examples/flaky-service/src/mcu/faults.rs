//! The faults, one after the other: what is done, and what the log must show.

use crate::mcu::Trouble;
use crate::mcu::stage::{Finding, SENSOR, Stage};
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
