//! Failures before there is a connection: name lookup, and resources of this process.
//!
//! The error numbers are those of Linux.

use std::{error::Error, fmt, io, net::SocketAddr, time::Duration, vec};

use http::Request;
use hyper_util::{
    client::legacy::{
        Client,
        connect::{HttpConnector, dns::Name},
    },
    rt::TokioExecutor,
};
use seawall::{
    Blame, BoxError, Cause, Detail, Failure, Processed, Resource, classify::classify_error,
};
use tower::{ServiceExt, service_fn};
use tracing::Level;

use super::{Reaction, failing, reaction_to};
use crate::support::sockets::empty;

/// An error of a resolver with a type of its own, as hickory has.
#[derive(Debug)]
struct ResolveError(Option<io::Error>);

impl fmt::Display for ResolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no records found: NXDOMAIN")
    }
}

impl Error for ResolveError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.as_ref().map(|error| error as _)
    }
}

/// Returns the failure of a POST whose name lookup fails.
async fn lookup_failure(error: fn() -> BoxError) -> Failure {
    let resolver = service_fn(move |_: Name| {
        Box::pin(async move { Err::<vec::IntoIter<SocketAddr>, _>(error()) })
    });
    let client =
        Client::builder(TokioExecutor::new()).build(HttpConnector::new_with_resolver(resolver));
    let request = Request::post("http://up.test/").body(empty()).unwrap();
    classify_error(&client.oneshot(request).await.unwrap_err())
}

#[tokio::test]
async fn resolver_with_own_error_type_is_dns_error() {
    for error in [
        (|| ResolveError(None).into()) as fn() -> BoxError,
        || io::Error::other(ResolveError(None)).into(),
        // About a name server, not about the upstream.
        || ResolveError(Some(io::ErrorKind::ConnectionRefused.into())).into(),
        || ResolveError(Some(io::ErrorKind::ConnectionReset.into())).into(),
        || "no such name".into(),
    ] {
        let failure = lookup_failure(error).await;
        assert_eq!((failure.cause(), failure.processed()), (Cause::DnsError, Processed::No));
        assert_eq!(failure.blame(), Blame::Network);
    }
}

#[tokio::test(start_paused = true)]
async fn slow_resolver_is_dns_timeout() {
    async fn elapsed() -> tokio::time::error::Elapsed {
        let lookup = std::future::pending::<()>();
        tokio::time::timeout(Duration::from_secs(1), lookup).await.unwrap_err()
    }
    let resolver = service_fn(|_: Name| {
        Box::pin(async { Err::<vec::IntoIter<SocketAddr>, _>(elapsed().await) })
    });
    let client =
        Client::builder(TokioExecutor::new()).build(HttpConnector::new_with_resolver(resolver));
    let request = Request::post("http://up.test/").body(empty()).unwrap();
    let failure = classify_error(&client.oneshot(request).await.unwrap_err());
    assert_eq!((failure.cause(), failure.processed()), (Cause::DnsTimeout, Processed::No));

    let failure =
        lookup_failure(|| ResolveError(Some(io::ErrorKind::TimedOut.into())).into()).await;
    assert_eq!((failure.cause(), failure.processed()), (Cause::DnsTimeout, Processed::No));
}

#[tokio::test]
async fn resolver_without_file_descriptors_blames_process() {
    const EMFILE: i32 = 24;
    let failure =
        lookup_failure(|| ResolveError(Some(io::Error::from_raw_os_error(EMFILE))).into()).await;
    assert_eq!((failure.cause(), failure.processed()), (Cause::ProxyInternalError, Processed::No));
    assert_eq!(failure.detail(), Some(Detail::OutOf(Resource::FileDescriptors)));
}

#[test]
fn failure_names_resource_that_ran_out() {
    for (number, resource, text, advice) in [
        (23, Resource::FileDescriptors, "out of file descriptors", "file descriptors"),
        (24, Resource::FileDescriptors, "out of file descriptors", "file descriptors"),
        (12, Resource::Memory, "out of memory", "memory"),
        (105, Resource::SocketBuffers, "out of socket buffers", "sockets"),
        (98, Resource::LocalPorts, "out of local ports", "local ports"),
        (99, Resource::LocalPorts, "out of local ports", "local ports"),
        (28, Resource::Storage, "out of storage", "disk"),
        (93, Resource::AddressFamily, "address family not supported here", "IPv6"),
        (97, Resource::AddressFamily, "address family not supported here", "IPv6"),
    ] {
        let failure = classify_error(&io::Error::from_raw_os_error(number));
        assert_eq!(failure.cause(), Cause::ProxyInternalError, "{number}");
        assert_eq!(failure.detail(), Some(Detail::OutOf(resource)), "{number}");
        assert_eq!(failure.blame(), Blame::Process);
        // It may come from a write.
        assert_eq!(failure.processed(), Processed::Maybe);
        assert!(failure.to_string().contains(text), "{failure}");
        assert!(failure.advice().contains(advice), "{}", failure.advice());
    }
}

#[test]
fn failure_blames_network_when_interface_is_down() {
    const ENETDOWN: i32 = 100;
    let failure = classify_error(&io::Error::from_raw_os_error(ENETDOWN));
    assert_eq!(
        (failure.cause(), failure.blame()),
        (Cause::DestinationIpUnroutable, Blame::Network)
    );
}

#[tokio::test(start_paused = true)]
async fn missing_resource_answers_500_and_is_not_counted() {
    let fail = failing(|| async { Err(io::Error::from_raw_os_error(24).into()) });
    let expected = Reaction { status: 500, counts: false, is_retried: false, level: Level::WARN };
    assert_eq!(reaction_to(&fail).await, expected);
}

/// A layer of this process turned the error into a response.
#[tokio::test(start_paused = true)]
async fn response_of_local_layer_is_not_counted() {
    use http::Response;
    use seawall::Reporter;

    for (cause, status) in [
        (Cause::ConnectionLimitReached, 503),
        (Cause::ProxyInternalError, 500),
        (Cause::ProxyInternalError, 503),
    ] {
        let fail = failing(move || async move {
            let mut response = Response::builder().status(status).body(super::Body::default())?;
            let failure = Failure::new(cause).with_reporter(Reporter::Local);
            let failure = failure.with_status(response.status());
            response.extensions_mut().insert(failure);
            Ok(response)
        });
        let reaction = reaction_to(&fail).await;
        assert!(!reaction.counts && !reaction.is_retried, "{cause}: {reaction:?}");
    }
}
