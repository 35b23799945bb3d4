//! What happens to the node's session with a broker, and what its log must show.

use std::time::Duration;

use crate::mcu::Trouble;
use crate::mcu::stage::{Finding, SENSOR, Stage};

/// How many times the broker is killed, and for how long one drops what it accepts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ordeal {
    pub(super) kills: u32,
    pub(super) dropping: Duration,
}

const ACKNOWLEDGED: &[&str] = &["mqtt acknowledged"];

/// Plays all faults; says what was seen of each.
///
/// # Errors
///
/// What the log did not show, or which acknowledged reading is lost.
pub(super) async fn play(stage: &mut Stage, ordeal: Ordeal) -> Result<Vec<Finding>, Trouble> {
    stage.say("a session with a broker")?;
    stage.power_on(SENSOR).await?;
    stage.sees(&["mqtt up"]).await?;
    stage.sees(ACKNOWLEDGED).await?;
    let mut findings = vec![killed(stage, ordeal.kills).await?, link_down(stage).await?];
    if stage.broker()?.has_resolver() {
        findings.push(no_name(stage).await?);
    } else {
        stage.tell("left out, as dnsmasq cannot have port 53: a name that does not resolve")?;
    }
    findings.push(refused(stage).await?);
    findings.push(drops(stage, ordeal.dropping).await?);
    findings.push(power_cut(stage).await?);
    all_there(stage).await?;
    Ok(findings)
}

/// Waits until the subscriber has what is acknowledged. It is connected then, and gets what comes next
/// at once: a broker that is killed takes with it what it has neither delivered nor written to its
/// disk, although it has acknowledged that.
async fn subscriber_is_back(stage: &mut Stage) -> Result<(), Trouble> {
    match stage.acknowledged().last().cloned() {
        Some(reading) => stage.arrives(&reading).await,
        None => Ok(()),
    }
}

async fn kill(stage: &mut Stage) -> Result<(), Trouble> {
    subscriber_is_back(stage).await?;
    stage.broker()?.kill().await
}

async fn killed(stage: &mut Stage, kills: u32) -> Result<Finding, Trouble> {
    let fault = "broker killed";
    let (mut decisions, mut recovery) = (Vec::new(), Vec::new());
    for _ in 0..kills {
        stage.say(fault)?;
        stage.sees(&["mqtt healthy"]).await?;
        kill(stage).await?;
        decisions = stage.sees_all(&[&["mqtt #", "TRANSIENT", "retry in"]]).await?;
        stage.broker()?.run().await?;
        recovery = stage.sees_all(&[&["mqtt up"], ACKNOWLEDGED]).await?;
    }
    Ok(Finding { fault, decisions, recovery })
}

async fn link_down(stage: &mut Stage) -> Result<Finding, Trouble> {
    let fault = "network link down, in a session";
    stage.say(fault)?;
    stage.board()?.link(false).await?;
    let decisions = stage.sees_all(&[&["mqtt #", "TRANSIENT", "retry in"]]).await?;
    stage.board()?.link(true).await?;
    let recovery = stage.sees_all(&[&["mqtt up"], ACKNOWLEDGED]).await?;
    Ok(Finding { fault, decisions, recovery })
}

async fn no_name(stage: &mut Stage) -> Result<Finding, Trouble> {
    let fault = "the broker's name does not resolve";
    stage.say(fault)?;
    stage.broker()?.resolver(false).await?;
    kill(stage).await?;
    let decisions = stage
        .sees_all(&[&["mqtt #", "TRANSIENT"], &["mqtt #", "TRANSIENT", "no answer in time"]])
        .await?;
    stage.broker()?.run().await?;
    stage.broker()?.resolver(true).await?;
    let recovery = stage.sees_all(&[&["mqtt up"], ACKNOWLEDGED]).await?;
    Ok(Finding { fault, decisions, recovery })
}

async fn refused(stage: &mut Stage) -> Result<Finding, Trouble> {
    let fault = "login refused";
    stage.say(fault)?;
    stage.broker()?.admits(false).await?;
    kill(stage).await?;
    stage.broker()?.run().await?;
    let decisions = stage
        .sees_all(&[&["mqtt #", "PERMISSION", "stop: NON_RETRYABLE_CLASS"], &["session over"]])
        .await?;
    stage.broker()?.admits(true).await?;
    kill(stage).await?;
    stage.broker()?.run().await?;
    let recovery = stage.sees_all(&[&["mqtt up"], ACKNOWLEDGED]).await?;
    Ok(Finding { fault, decisions, recovery })
}

async fn drops(stage: &mut Stage, lasts: Duration) -> Result<Finding, Trouble> {
    let fault = "a broker that accepts and drops";
    stage.say(fault)?;
    subscriber_is_back(stage).await?;
    stage.broker()?.impose().await?;
    let mut decisions = stage.sees_all(&[&["mqtt #", "TRANSIENT", "retry in"]]).await?;
    stage.watches(lasts).await?;
    let (all, most) = stage.broker()?.connects();
    let secs = lasts.as_secs();
    decisions
        .push(format!("{all} connects in {secs} s, at most {most} in a minute after the first"));
    // Without a full minute after the first, all of them are few.
    if all > 12 && most > 12 || all < 3 {
        return Err(Trouble::new(format!("{all} connects in {secs} s, {most} within a minute")));
    }
    stage.broker()?.run().await?;
    let recovery = stage.sees_all(&[&["mqtt up"], &["mqtt healthy"]]).await?;
    Ok(Finding { fault, decisions, recovery })
}

async fn power_cut(stage: &mut Stage) -> Result<Finding, Trouble> {
    let fault = "power cut, in a session";
    stage.say(fault)?;
    kill(stage).await?;
    let decisions = stage.sees_all(&[&["mqtt #", "TRANSIENT", "retry in"]]).await?;
    stage.cut_power().await?;
    stage.broker()?.run().await?;
    stage.power_on(SENSOR).await?;
    let recovery = stage.sees_all(&[&["mqtt up"], ACKNOWLEDGED]).await?;
    Ok(Finding { fault, decisions, recovery })
}

/// Every reading whose acknowledgement the node has logged came to the subscriber.
async fn all_there(stage: &mut Stage) -> Result<(), Trouble> {
    stage.say("what the subscriber got")?;
    let acknowledged = stage.acknowledged().to_vec();
    for reading in &acknowledged {
        stage.arrives(reading).await?;
    }
    let (all, twice) = stage.broker()?.counts();
    let count = acknowledged.len();
    stage.tell(&format!(
        "{count} readings acknowledged, {all} received, {twice} of them more than once"
    ))
}
