//! A response, whether it is written to a socket or handed over.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};

use super::FlakyBody;

#[derive(Clone, Debug, Default)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) body_delay: Duration,
    pub(super) truncated: bool,
}

/// What of a body is sent, and when.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) first: Bytes,
    pub(super) delay: Duration,
    pub(super) second: Bytes,
    /// It breaks off instead of the byte that was announced and is missing.
    pub(super) truncated: bool,
}

impl Answer {
    /// Its head, the same for every method (RFC 9110 §9.3.2).
    pub(super) fn head(&self) -> Response<()> {
        let mut head = Response::new(());
        *head.status_mut() = self.status;
        head.headers_mut().clone_from(&self.headers);
        // RFC 9110 §8.6: none with a 204; that of a 304 would be another response's.
        if !self.is_bodiless() {
            let length = HeaderValue::from(self.announced());
            head.headers_mut().insert(header::CONTENT_LENGTH, length);
        }
        head
    }

    pub(super) fn parts(&self, method: &Method) -> Parts {
        if self.is_bodiless() || method == Method::HEAD || self.announced() == 0 {
            return Parts::default();
        }
        let mut first = self.body.clone();
        let half = if self.body_delay.is_zero() { first.len() } else { first.len() / 2 };
        let second = first.split_off(half);
        Parts { first, delay: self.body_delay, second, truncated: self.truncated }
    }

    pub(super) fn response(&self, method: &Method) -> Response<FlakyBody> {
        self.head().map(|()| FlakyBody::new(self.parts(method)))
    }

    fn announced(&self) -> u64 {
        self.body.len() as u64 + u64::from(self.truncated)
    }

    fn is_bodiless(&self) -> bool {
        matches!(self.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
    }
}

impl Parts {
    pub(super) fn left(&self) -> u64 {
        (self.first.len() + self.second.len()) as u64 + u64::from(self.truncated)
    }
}
