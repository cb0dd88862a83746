//! Serves one connection.

use std::{convert::Infallible, net::SocketAddr, pin::pin, sync::Arc};

use axum::body::{Body, Bytes, HttpBody};
use http::{Request, Response};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use seawall::BoxError;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::OwnedSemaphorePermit,
    time::{Instant, sleep_until},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::Service;

use super::{
    activity::{Activity, InFlight},
    body::{RequestBody, ResponseBody},
    connection_info::{ConnectionInfo, Scheme, Shared},
    io::RecordedIo,
    settings::Settings,
    time_limits::{TimeLimits, Verdict},
};

/// The parts that all connections share.
#[derive(Clone)]
pub(super) struct ConnectionServer<A> {
    pub(super) app: A,
    pub(super) builder: Arc<Builder<TokioExecutor>>,
    pub(super) tasks: TaskTracker,
    pub(super) shutdown: CancellationToken,
}

impl<A, B> ConnectionServer<A>
where
    A: Service<Request<Body>, Response = Response<B>, Error = Infallible, Future: Send + 'static>
        + Clone
        + Send
        + 'static,
    B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    /// Serves a connection until it ends.
    pub(super) async fn serve(
        self,
        stream: TcpStream,
        peer: SocketAddr,
        settings: Arc<Settings>,
        permit: OwnedSemaphorePermit,
    ) {
        let Some(acceptor) = &settings.tls else {
            return self.serve_http(stream, Scheme::Http, peer, &settings, permit).await;
        };
        let handshake = self.shutdown.run_until_cancelled(acceptor.accept(stream)).await;
        match handshake {
            Some(Ok(stream)) => {
                self.serve_http(stream, Scheme::Https, peer, &settings, permit).await;
            }
            Some(Err(error)) => tracing::debug!(%peer, "TLS handshake failed: {error}"),
            None => {}
        }
    }

    async fn serve_http(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        scheme: Scheme,
        peer: SocketAddr,
        settings: &Settings,
        permit: OwnedSemaphorePermit,
    ) {
        let Self { app, builder, tasks, shutdown } = self;
        let activity = Activity::new();
        let shared = Shared { peer: peer.into(), scheme, activity, tasks, _permit: permit };
        let info = ConnectionInfo::new(shared);
        let limits = TimeLimits::new(&settings.config, fastrand::f64());
        let io = TokioIo::new(RecordedIo::new(stream, info.clone()));
        let service = service_fn(|request| call(&app, &info, request));
        let mut connection = pin!(builder.serve_connection_with_upgrades(io, service));
        let mut timer = pin!(sleep_until(Instant::now()));
        let mut closing_since = None;
        loop {
            let verdict = tokio::select! {
                biased;
                result = connection.as_mut() => {
                    if let Err(error) = result {
                        tracing::debug!(%peer, "connection failed: {error}");
                    }
                    return;
                }
                () = shutdown.cancelled(), if closing_since.is_none() => Verdict::Close,
                () = timer.as_mut() => {
                    limits.check(Instant::now(), &info.activity().snapshot(), closing_since)
                }
            };
            match verdict {
                Verdict::Open(next_check) => timer.as_mut().reset(next_check),
                Verdict::Close => {
                    connection.as_mut().graceful_shutdown();
                    closing_since = Some(Instant::now());
                }
                Verdict::Abort(reason) => {
                    tracing::debug!(%peer, "connection closed: {reason}");
                    return;
                }
            }
        }
    }
}

/// Passes a request to the app, with the connection in its extensions.
fn call<A, B>(
    app: &A,
    info: &ConnectionInfo,
    request: Request<Incoming>,
) -> impl Future<Output = Result<Response<ResponseBody<B>>, Infallible>> + Send + 'static + use<A, B>
where
    A: Service<Request<Body>, Response = Response<B>, Error = Infallible, Future: Send + 'static>
        + Clone,
{
    let in_flight = InFlight::new(info.clone());
    let mut request = request.map(|body| {
        if body.is_end_stream() {
            Body::empty()
        } else {
            Body::new(RequestBody::new(body, in_flight.clone()))
        }
    });
    request.extensions_mut().insert(info.clone());
    // The app is always ready.
    let response = app.clone().call(request);
    async move { Ok(response.await?.map(|body| ResponseBody::new(body, in_flight))) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::{Extension, Router, routing::get};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
        sync::{Semaphore, mpsc},
        time::timeout,
    };

    use super::*;
    use crate::server::{connection_info::TunnelGuard, protocol};

    const LIMIT: Duration = Duration::from_secs(20);

    fn server(app: Router) -> ConnectionServer<Router> {
        ConnectionServer {
            app,
            builder: Arc::new(protocol::builder()),
            tasks: TaskTracker::new(),
            shutdown: CancellationToken::new(),
        }
    }

    /// Sends a request on a connection of its own. Returns the bytes of the response.
    async fn request(
        server: &ConnectionServer<Router>,
        permits: &Arc<Semaphore>,
        path: &str,
    ) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, peer) = listener.accept().await.unwrap();
        let permit = Arc::clone(permits).acquire_owned().await.unwrap();
        server.tasks.spawn(server.clone().serve(stream, peer, Arc::default(), permit));
        let head = format!("GET {path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n");
        client.write_all(head.as_bytes()).await.unwrap();
        let mut response = String::new();
        timeout(LIMIT, client.read_to_string(&mut response)).await.unwrap().unwrap();
        response
    }

    #[tokio::test]
    async fn panic_ends_only_its_connection() {
        let panic = async || -> Result<(), Infallible> { panic!("expected in this test") };
        let app = Router::new().route("/panic", get(panic)).route("/", get(async || "ok"));
        let (server, permits) = (server(app), Arc::new(Semaphore::new(1)));
        assert_eq!(request(&server, &permits, "/panic").await, "");
        assert!(request(&server, &permits, "/").await.ends_with("ok"));
        server.tasks.close();
        timeout(LIMIT, server.tasks.wait()).await.unwrap();
    }

    #[tokio::test]
    async fn tunnel_delays_drain_and_counts_as_connection_until_its_guard_is_dropped() {
        let (sender, mut guards) = mpsc::unbounded_channel::<TunnelGuard>();
        let open = async move |info: Extension<ConnectionInfo>| {
            assert_eq!(info.scheme(), Scheme::Http);
            sender.send(info.tunnel_guard()).unwrap();
        };
        let server = server(Router::new().route("/", get(open)));
        let permits = Arc::new(Semaphore::new(1));
        request(&server, &permits, "/").await;
        let guard = guards.recv().await.unwrap();
        server.tasks.close();
        while server.tasks.len() > 1 {
            tokio::task::yield_now().await;
        }
        let mut drained = tokio_test::task::spawn(server.tasks.wait());
        assert!(drained.poll().is_pending());
        assert_eq!(permits.available_permits(), 0);
        server.shutdown.cancel();
        assert!(drained.poll().is_pending());
        drop(guard);
        assert!(drained.is_woken() && drained.poll().is_ready());
        assert_eq!(permits.available_permits(), 1);
    }
}
