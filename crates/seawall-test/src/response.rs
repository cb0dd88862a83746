//! The response of a step, for a socket or in process.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};

#[derive(Clone, Debug, Default)]
pub(crate) struct ScriptedResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) body_delay: Duration,
    pub(crate) truncated: bool,
}

/// The two halves of a body and the wait between them.
#[derive(Debug, Default)]
pub(crate) struct BodyParts {
    pub(crate) first: Bytes,
    pub(crate) delay: Duration,
    pub(crate) second: Bytes,
    /// Whether the body ends one byte before the announced length.
    pub(crate) truncated: bool,
}

impl ScriptedResponse {
    /// Returns the head, which is the same for every method (RFC 9110 §9.3.2).
    pub(crate) fn head(&self) -> Response<()> {
        let mut head = Response::new(());
        *head.status_mut() = self.status;
        head.headers_mut().clone_from(&self.headers);
        // RFC 9110 §8.6: a 204 has no length, and a 304 would have that of another response.
        if self.may_have_body() {
            let length = HeaderValue::from(self.announced_len());
            head.headers_mut().insert(header::CONTENT_LENGTH, length);
        }
        head
    }

    /// Returns the body of a response to `method`.
    pub(crate) fn body_parts(&self, method: &Method) -> BodyParts {
        if !self.may_have_body() || method == Method::HEAD || self.announced_len() == 0 {
            return BodyParts::default();
        }
        let mut first = self.body.clone();
        let half = if self.body_delay.is_zero() { first.len() } else { first.len() / 2 };
        let second = first.split_off(half);
        BodyParts { first, delay: self.body_delay, second, truncated: self.truncated }
    }

    fn announced_len(&self) -> u64 {
        self.body.len() as u64 + u64::from(self.truncated)
    }

    fn may_have_body(&self) -> bool {
        !matches!(self.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
    }
}

impl BodyParts {
    /// Returns the number of announced bytes that were not read yet.
    pub(crate) fn remaining(&self) -> u64 {
        (self.first.len() + self.second.len()) as u64 + u64::from(self.truncated)
    }
}
