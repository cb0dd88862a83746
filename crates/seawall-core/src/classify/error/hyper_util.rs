use std::{error::Error, ops::ControlFlow};

use http::{Extensions, Uri};
use hyper_util::client::legacy::{Error as ClientError, connect::HttpConnector};
use tower_service::Service;

use super::context::{ConnectionReuse, ErrorContext, RequestPhase};
use crate::{connection::ConnectionUse, failure::Cause};

type ConnectError = <HttpConnector as Service<Uri>>::Error;

pub(super) fn inspect(
    context: &mut ErrorContext,
    error: &(dyn Error + 'static),
) -> ControlFlow<()> {
    if let Some(error) = error.downcast_ref::<ClientError>() {
        context.phase =
            if error.is_connect() { RequestPhase::Connect } else { RequestPhase::Exchange };
        context.connection = connection_reuse(error);
    }
    // The connector rejects a URL with another scheme such as `https`, or without a host. Only these errors of its have no
    // source (hyper-util 0.1.21: client/legacy/connect/http.rs, `get_host_port`). Should that change, such a request is
    // retried without effect.
    if error.is::<ConnectError>() && error.source().is_none() {
        context.cause = Some(Cause::HttpRequestError);
    }
    ControlFlow::Continue(())
}

fn connection_reuse(error: &ClientError) -> ConnectionReuse {
    let mut extras = Extensions::new();
    if let Some(connected) = error.connect_info() {
        connected.get_extras(&mut extras);
    }
    match extras.get::<ConnectionUse>() {
        Some(last) if last.is_stale() => ConnectionReuse::Stale,
        Some(last) if last.is_reused() => ConnectionReuse::Reused,
        // The client itself resends a request that it never wrote to a pooled connection. So any other connection is taken
        // for fresh unless proven otherwise.
        _ => ConnectionReuse::Fresh,
    }
}
