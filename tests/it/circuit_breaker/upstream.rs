//! An upstream that can be told what to do while it is called.

use std::{
    future::pending,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use seawall::BoxError;
use tower::Service;

pub(crate) type Body = Full<Bytes>;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Mode {
    Status(u16),
    /// 503 with this `Retry-After`.
    Busy(&'static str),
    /// 200 after so long.
    Slow(Duration),
    Hang,
    Refuse,
    Panic,
    PanicInCall,
    /// Does not become ready.
    NotReady,
}

#[derive(Clone)]
pub(crate) struct Upstream {
    mode: Arc<Mutex<Mode>>,
    count: Arc<AtomicU32>,
}

impl Upstream {
    pub(crate) fn new(mode: Mode) -> Self {
        Self { mode: Arc::new(Mutex::new(mode)), count: Arc::default() }
    }

    pub(crate) fn set(&self, mode: Mode) {
        *self.mode.lock().unwrap() = mode;
    }

    fn mode(&self) -> Mode {
        *self.mode.lock().unwrap()
    }

    /// Calls so far.
    pub(crate) fn count(&self) -> u32 {
        self.count.load(Ordering::Relaxed)
    }
}

fn refused() -> BoxError {
    std::io::Error::from(std::io::ErrorKind::ConnectionRefused).into()
}

impl<B: Send + 'static> Service<Request<B>> for Upstream {
    type Response = Response<Body>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        match self.mode() {
            Mode::NotReady => Poll::Ready(Err(refused())),
            _ => Poll::Ready(Ok(())),
        }
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        self.count.fetch_add(1, Ordering::Relaxed);
        let mode = self.mode();
        assert!(!matches!(mode, Mode::PanicInCall), "on purpose");
        Box::pin(async move {
            let response = Response::builder();
            let response = match mode {
                Mode::Status(status) => response.status(status),
                Mode::Busy(wait) => response.status(503).header("retry-after", wait),
                Mode::Slow(time) => {
                    tokio::time::sleep(time).await;
                    response
                }
                Mode::Hang => pending().await,
                Mode::Refuse | Mode::NotReady => return Err(refused()),
                Mode::Panic | Mode::PanicInCall => panic!("on purpose"),
            };
            Ok(response.body(Body::default()).unwrap())
        })
    }
}

pub(crate) fn get() -> Request<Body> {
    get_from("http://upstream/")
}

pub(crate) fn get_from(uri: &str) -> Request<Body> {
    Request::get(uri).body(Body::default()).unwrap()
}
