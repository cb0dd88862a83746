use std::{error::Error, ops::ControlFlow};

use tonic::{ConnectError, Status, TimeoutExpired};

use super::context::{ErrorContext, RequestPhase};
use crate::classify::grpc_status;

pub(super) fn inspect(
    context: &mut ErrorContext,
    error: &(dyn Error + 'static),
) -> ControlFlow<()> {
    if let Some(status) = error.downcast_ref::<Status>() {
        // A status is the response of a server, even if it was made of an error. Its sources may be about another call of that
        // server, and prove nothing about this one.
        let code = (status.code() as i32).to_string();
        if let Some(cause) = grpc_status::cause_from_code(code.as_bytes()) {
            context.set_cause(cause);
        }
        return ControlFlow::Break(());
    }
    if error.is::<ConnectError>() {
        // TCP and TLS: only a channel that is connected takes a request (tonic 0.14: channel/service/reconnect.rs).
        context.phase = RequestPhase::Connect;
    } else if error.is::<TimeoutExpired>() {
        context.set_cause(context.phase.timeout());
    }
    ControlFlow::Continue(())
}
