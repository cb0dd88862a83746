use std::{
    error::Error,
    io::{self, ErrorKind},
    ops::ControlFlow,
};

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
        inspect_connection(context, error);
    }
    if let Some(error) = error.downcast_ref::<ConnectError>() {
        inspect_connector(context, error);
    }
    ControlFlow::Continue(())
}

fn inspect_connector(context: &mut ErrorContext, error: &ConnectError) {
    let Some(source) = error.source() else {
        // The connector rejects a URL with another scheme such as `https`, or without a host. Only
        // these errors of its have no source (hyper-util 0.1.21: client/legacy/connect/http.rs,
        // `get_host_port`). Should that change, such a request is retried without effect.
        return context.set_cause(Cause::HttpRequestError);
    };
    // The other errors are of the kernel or of the timer, both as an I/O error, or of a resolver,
    // which may have an error type of its own.
    let is_of_resolver = match source.downcast_ref::<io::Error>() {
        Some(error) => error.kind() == ErrorKind::Other,
        None => true,
    };
    if is_of_resolver {
        context.phase = RequestPhase::Resolve;
        context.set_cause(Cause::DnsError);
    }
}

fn inspect_connection(context: &mut ErrorContext, error: &ClientError) {
    let mut extras = Extensions::new();
    if let Some(connected) = error.connect_info() {
        connected.get_extras(&mut extras);
    }
    let last = extras.get::<ConnectionUse>();
    context.server = last.and_then(ConnectionUse::server);
    context.connection = match last.map(|last| (last, last.idle())) {
        Some((last, Some(idle))) if last.is_stale() => ConnectionReuse::Stale(idle),
        Some((_, Some(idle))) => ConnectionReuse::Reused(idle),
        // The client itself resends a request that it never wrote to a pooled connection. So any
        // other connection is taken for fresh unless proven otherwise.
        _ => ConnectionReuse::Fresh,
    };
}
