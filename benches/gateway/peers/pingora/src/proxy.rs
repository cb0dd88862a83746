//! The proxy, without TLS and with one upstream.

use std::time::Instant;

use async_trait::async_trait;
use http::{Method, StatusCode, Uri};
use pingora_core::{Error, ErrorType, Result, upstreams::peer::HttpPeer};
use pingora_http::{RequestHeader, ResponseHeader};
use pingora_proxy::{ProxyHttp, Session};

use crate::access_log::AccessLog;

pub(crate) struct Proxy {
    pub(crate) upstream: String,
    pub(crate) access_log: Option<AccessLog>,
    pub(crate) retry: bool,
}

/// The state of a request.
pub(crate) struct Context {
    start: Instant,
    retried: bool,
}

#[async_trait]
impl ProxyHttp for Proxy {
    type CTX = Context;

    fn new_ctx(&self) -> Context {
        Context { start: Instant::now(), retried: false }
    }

    async fn upstream_peer(&self, _: &mut Session, _: &mut Context) -> Result<Box<HttpPeer>> {
        Ok(Box::new(HttpPeer::new(&self.upstream, false, String::new())))
    }

    async fn upstream_request_filter(
        &self,
        session: &mut Session,
        request: &mut RequestHeader,
        _: &mut Context,
    ) -> Result<()> {
        let path = request.uri.path_and_query().map_or("/", |path| path.as_str());
        let path = path.strip_prefix("/api").unwrap_or(path);
        let uri = path.parse::<Uri>();
        request.set_uri(uri.map_err(|_| Error::explain(ErrorType::HTTPStatus(400), "path"))?);
        request.insert_header("Host", &self.upstream)?;
        request.insert_header("X-Forwarded-Proto", "http")?;
        if let Some(client) = session.client_addr().and_then(|address| address.as_inet()) {
            request.insert_header("X-Forwarded-For", client.ip().to_string())?;
        }
        Ok(())
    }

    async fn upstream_response_filter(
        &self,
        session: &mut Session,
        response: &mut ResponseHeader,
        context: &mut Context,
    ) -> Result<()> {
        let failed = response.status == StatusCode::BAD_GATEWAY;
        let is_get = session.req_header().method == Method::GET;
        if !(self.retry && failed && is_get) || std::mem::replace(&mut context.retried, true) {
            return Ok(());
        }
        let mut error = Error::explain(ErrorType::HTTPStatus(502), "a retry follows");
        error.set_retry(true);
        Err(error)
    }

    async fn logging(&self, session: &mut Session, _: Option<&Error>, context: &mut Context) {
        if let Some(log) = &self.access_log {
            log.write(session, context.start.elapsed());
        }
    }
}
