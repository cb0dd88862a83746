//! `seawall::tonic::Client`: a tonic channel inside retry, with a failing gRPC server.
//!
//! Uses real sockets and the real clock.

mod status;

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use bytes::{Buf, BufMut, Bytes};
use h2::{Reason, RecvStream, server};
use http::{HeaderMap, Request, Response, uri::PathAndQuery};
use seawall::{
    BoxError, Cause, Failure, Processed,
    classify::{GrpcClassifier, classify_error},
    find_source,
    retry::{Backoff, RetriesExhausted, RetryLayer},
    tonic::StatusLayer,
};
use tokio::net::{TcpListener, TcpStream};
use tonic::{
    Code, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    transport::{Channel, Endpoint},
};
use tower::{Layer, Service, ServiceBuilder, ServiceExt};

/// The reaction of the server to a call.
#[derive(Clone)]
pub(crate) enum Action {
    /// Responds immediately with this status and header, without a message.
    Status(Code, Option<(&'static str, &'static str)>),
    Reset(Reason),
    /// Never responds.
    Stall,
    /// Sends the message back.
    Echo,
}

#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) addr: SocketAddr,
    /// The request headers of all calls so far.
    pub(crate) calls: Arc<Mutex<Vec<HeaderMap>>>,
    acts: Arc<Mutex<VecDeque<Action>>>,
}

impl Server {
    pub(crate) async fn start(acts: impl IntoIterator<Item = Action>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let acts = Arc::new(Mutex::new(acts.into_iter().collect()));
        let this = Self { addr, calls: Arc::default(), acts };
        let server = this.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(server.clone().serve(stream));
            }
        });
        this
    }

    /// Serves a connection until the first error, which means that the client has disconnected.
    async fn serve(self, stream: TcpStream) {
        let Ok(mut connection) = server::handshake(stream).await else { return };
        while let Some(Ok((request, respond))) = connection.accept().await {
            self.calls.lock().unwrap().push(request.headers().clone());
            let act = self.acts.lock().unwrap().pop_front().expect("more calls than acts");
            tokio::spawn(respond_to(act, request, respond));
        }
    }

    pub(crate) fn count(&self) -> usize {
        self.calls.lock().unwrap().len()
    }
}

async fn respond_to(
    act: Action,
    request: Request<RecvStream>,
    mut respond: server::SendResponse<Bytes>,
) -> Option<()> {
    let head = Response::builder().header("content-type", "application/grpc");
    match act {
        Action::Reset(reason) => respond.send_reset(reason),
        // Waits until the client resets the stream.
        Action::Stall => drop(std::future::poll_fn(|cx| respond.poll_reset(cx)).await),
        Action::Status(code, header) => {
            let head = head.header("grpc-status", code as i32);
            let head =
                header.into_iter().fold(head, |head, (name, value)| head.header(name, value));
            respond.send_response(head.body(()).unwrap(), true).ok()?;
        }
        Action::Echo => {
            let mut stream = respond.send_response(head.body(()).unwrap(), false).ok()?;
            let mut body = request.into_body();
            while let Some(data) = body.data().await {
                stream.send_data(data.ok()?, false).ok()?;
            }
            let trailers = [("grpc-status".parse().unwrap(), "0".parse().unwrap())];
            stream.send_trailers(trailers.into_iter().collect()).ok()?;
        }
    }
    Some(())
}

/// A codec for messages of raw bytes.
#[derive(Clone, Copy, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}

pub(crate) fn eager() -> RetryLayer<GrpcClassifier> {
    RetryLayer::new().classifier(GrpcClassifier::new()).backoff(Backoff::none())
}

pub(crate) fn message() -> tonic::Request<Bytes> {
    tonic::Request::new(Bytes::from_static(b"hi"))
}

pub(crate) async fn call(
    addr: SocketAddr,
    layer: RetryLayer<GrpcClassifier>,
) -> Result<Bytes, Status> {
    call_by(addr, layer, message()).await
}

/// Makes a call as generated code does.
pub(crate) async fn call_by<L, B>(
    addr: SocketAddr,
    layer: L,
    message: tonic::Request<Bytes>,
) -> Result<Bytes, Status>
where
    L: Layer<seawall::tonic::Client<Channel>>,
    L::Service: Service<Request<tonic::body::Body>, Response = Response<B>, Error = BoxError>,
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    let channel = Endpoint::from_shared(format!("http://{addr}")).unwrap().connect_lazy();
    let service = ServiceBuilder::new()
        .layer(StatusLayer::new())
        .layer(layer)
        .service(seawall::tonic::Client::new(channel));
    let mut client = Grpc::new(service);
    client.ready().await.unwrap();
    let path = PathAndQuery::from_static("/echo.Echo/Say");
    client.unary(message, path, Raw).await.map(tonic::Response::into_inner)
}

#[tokio::test]
async fn retry_sends_previous_attempt_count_when_unavailable() {
    let unavailable = Action::Status(Code::Unavailable, None);
    let server = Server::start([unavailable.clone(), unavailable, Action::Echo]).await;
    assert_eq!(call(server.addr, eager().retry_all_methods()).await.unwrap(), "hi");
    let calls = server.calls.lock().unwrap();
    let previous = |call: &HeaderMap| {
        let value = call.get("grpc-previous-rpc-attempts")?;
        Some(value.to_str().unwrap().to_owned())
    };
    let attempts: Vec<_> = calls.iter().map(previous).collect();
    assert_eq!(attempts, [None, Some("1".into()), Some("2".into())]);
}

#[tokio::test]
async fn retry_returns_unavailable_by_default() {
    let server = Server::start([Action::Status(Code::Unavailable, None)]).await;
    assert_eq!(call(server.addr, eager()).await.unwrap_err().code(), Code::Unavailable);
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn retry_obeys_pushback() {
    let name = "grpc-retry-pushback-ms";
    let forbid = Action::Status(Code::Unavailable, Some((name, "-1")));
    let server = Server::start([forbid]).await;
    let status = call(server.addr, eager().retry_all_methods()).await.unwrap_err();
    assert_eq!((status.code(), server.count()), (Code::Unavailable, 1));

    let allow = Action::Status(Code::Internal, Some((name, "1")));
    let server = Server::start([allow, Action::Echo]).await;
    assert_eq!(call(server.addr, eager().retry_all_methods()).await.unwrap(), "hi");
}

#[tokio::test]
async fn retry_returns_permanent_status() {
    let server = Server::start([Action::Status(Code::InvalidArgument, None)]).await;
    let status = call(server.addr, eager().retry_all_methods()).await.unwrap_err();
    assert_eq!((status.code(), server.count()), (Code::InvalidArgument, 1));
}

#[tokio::test]
async fn retry_repeats_call_when_stream_is_refused() {
    let server = Server::start([Action::Reset(Reason::REFUSED_STREAM), Action::Echo]).await;
    assert_eq!(call(server.addr, eager()).await.unwrap(), "hi");
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn retry_ends_as_unavailable_when_connection_fails() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    drop(listener);
    assert_eq!(call(addr, eager()).await.unwrap_err().code(), Code::Unavailable);

    let channel = Endpoint::from_shared(format!("http://{addr}")).unwrap().connect_lazy();
    let service =
        ServiceBuilder::new().layer(eager()).service(seawall::tonic::Client::new(channel));
    let request = Request::post(format!("http://{addr}/")).body(tonic::body::Body::empty());
    let error: BoxError = service.oneshot(request.unwrap()).await.unwrap_err();
    assert_eq!(find_source::<RetriesExhausted>(&*error).unwrap().attempts().get(), 4);
    let failure = classify_error(&*error);
    assert_eq!((failure.cause(), failure.processed()), (Cause::ConnectionRefused, Processed::No));
}

#[test]
fn classifier_maps_status_code_without_proof() {
    let cause = |status: &Status| {
        let failure = classify_error(status);
        assert_eq!(failure.processed(), Processed::Maybe);
        failure.cause()
    };
    assert_eq!(cause(&Status::unavailable("")), Cause::DestinationUnavailable);
    assert_eq!(cause(&Status::invalid_argument("")), Cause::ClientError);
    // This status wraps the error of an unprocessed call, which proves nothing about the outer
    // call.
    let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
    let refused = tonic::ConnectError(refused.into());
    assert_eq!(cause(&Status::from_error(refused.into())), Cause::DestinationUnavailable);
}
