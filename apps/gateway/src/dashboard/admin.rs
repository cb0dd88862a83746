//! Handlers for the demo's controls: fault injection and background load.

use std::time::Duration;

use axum::{
    extract::{Path, State},
    http::StatusCode,
};

use super::{
    Dashboard,
    demo_controls::{CommandError, DemoControls},
};
use crate::access::Problem;

type Reply = Result<StatusCode, Problem>;

const UNKNOWN_UPSTREAM: Problem = Problem::not_found("No such upstream.");
const UNKNOWN_FAULT: Problem = Problem::not_found("No such fault.");
const NOT_A_SWITCH: Problem = Problem::not_found("Expected on or off.");
const LOAD_TEST_RUNNING: Problem =
    Problem::conflict("The load test is running. Try again when it has ended.");
const RETRY_AFTER: Duration = Duration::from_secs(1);

impl From<CommandError> for Problem {
    fn from(error: CommandError) -> Self {
        let detail = match error {
            CommandError::UnknownUpstream => return UNKNOWN_UPSTREAM,
            CommandError::UnknownFault => return UNKNOWN_FAULT,
            CommandError::Busy => "Too many commands are waiting.",
            CommandError::ShuttingDown => "The gateway is shutting down.",
            CommandError::Listen => "The upstream could not listen again.",
        };
        Self::unavailable(detail, RETRY_AFTER)
    }
}

pub(super) async fn inject_fault(
    State(dashboard): State<Dashboard>,
    Path(name): Path<String>,
) -> Reply {
    controls(&dashboard)?.inject_fault(&name, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn inject_common_fault(
    State(dashboard): State<Dashboard>,
    Path((name, fault)): Path<(String, String)>,
) -> Reply {
    controls(&dashboard)?.inject_fault(&name, Some(&fault)).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn clear_fault(
    State(dashboard): State<Dashboard>,
    Path(name): Path<String>,
) -> Reply {
    controls(&dashboard)?.clear_fault(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn set_background_load(
    State(dashboard): State<Dashboard>,
    Path(enabled): Path<String>,
) -> Reply {
    let controls = controls(&dashboard)?;
    let enabled = match &enabled[..] {
        "on" => true,
        "off" => false,
        _ => return Err(NOT_A_SWITCH),
    };
    controls.set_background_load(enabled);
    Ok(StatusCode::NO_CONTENT)
}

/// Returns the controls, which are disabled during the load test.
fn controls(dashboard: &Dashboard) -> Result<&DemoControls, Problem> {
    let controls = dashboard.demo.as_deref().ok_or(UNKNOWN_UPSTREAM)?;
    if controls.load_test_running() { Err(LOAD_TEST_RUNNING) } else { Ok(controls) }
}
