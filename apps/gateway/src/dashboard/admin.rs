//! Handlers for the demo's controls: fault injection and background load.

use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
};

use super::{
    Dashboard,
    demo_controls::{CommandError, DemoControls},
    same_origin::is_same_origin,
};

type ErrorReply = (StatusCode, &'static str);
type Reply = Result<StatusCode, ErrorReply>;

const CROSS_ORIGIN: ErrorReply = (
    StatusCode::FORBIDDEN,
    "The request must come from the gateway's page at an IP address or localhost.\n",
);
const UNKNOWN_UPSTREAM: ErrorReply = (StatusCode::NOT_FOUND, "No such upstream.\n");
const LOAD_TEST_RUNNING: ErrorReply =
    (StatusCode::CONFLICT, "The load test is running. Try again when it has ended.\n");

impl From<CommandError> for ErrorReply {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::UnknownUpstream => UNKNOWN_UPSTREAM,
            CommandError::ShuttingDown => {
                (StatusCode::SERVICE_UNAVAILABLE, "The gateway is shutting down.\n")
            }
            CommandError::Listen => {
                (StatusCode::INTERNAL_SERVER_ERROR, "The upstream could not listen again.\n")
            }
        }
    }
}

pub(super) async fn inject_fault(
    State(dashboard): State<Dashboard>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Reply {
    authorize(&dashboard, &headers)?.set_fault(&name, true).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn clear_fault(
    State(dashboard): State<Dashboard>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Reply {
    authorize(&dashboard, &headers)?.set_fault(&name, false).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn set_background_load(
    State(dashboard): State<Dashboard>,
    Path(enabled): Path<String>,
    headers: HeaderMap,
) -> Reply {
    let controls = authorize(&dashboard, &headers)?;
    let enabled = match &enabled[..] {
        "on" => true,
        "off" => false,
        _ => return Err((StatusCode::NOT_FOUND, "Expected on or off.\n")),
    };
    controls.set_background_load(enabled);
    Ok(StatusCode::NO_CONTENT)
}

/// Returns the controls if the request may use them.
fn authorize<'a>(
    dashboard: &'a Dashboard,
    headers: &HeaderMap,
) -> Result<&'a DemoControls, ErrorReply> {
    if !is_same_origin(headers) {
        return Err(CROSS_ORIGIN);
    }
    let controls = dashboard.demo.as_deref().ok_or(UNKNOWN_UPSTREAM)?;
    if controls.load_test_running() { Err(LOAD_TEST_RUNNING) } else { Ok(controls) }
}
