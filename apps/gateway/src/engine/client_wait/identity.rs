//! The identity of clients and of requests.

use std::hash::{BuildHasher, Hash, Hasher, RandomState};

use http::{
    HeaderName, Request,
    header::{CONTENT_LENGTH, USER_AGENT},
};

use crate::access::{ClientName, client_address, credential_values};

static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The hashes of a request, with which later requests are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    /// The same for all requests of a client to a path.
    pub(super) client: u64,
    /// The same for all repetitions of a request.
    pub(super) request: u64,
}

impl Identity {
    /// Hashes the address, the name, the credentials, the `User-Agent` and the path. For the request,
    /// also hashes the method, the query, the length of the body and the idempotency key.
    ///
    /// The body itself is not compared, because it has not been received yet.
    pub(super) fn new<B>(request: &Request<B>, random: &RandomState) -> Self {
        let headers = request.headers();
        let mut hasher = random.build_hasher();
        client_address(request).hash(&mut hasher);
        request.extensions().get::<ClientName>().hash(&mut hasher);
        for value in credential_values(headers, request.uri()) {
            value.hash(&mut hasher);
        }
        headers.get(USER_AGENT).hash(&mut hasher);
        request.uri().path().hash(&mut hasher);
        let client = hasher.finish();
        request.method().hash(&mut hasher);
        request.uri().query().hash(&mut hasher);
        headers.get(CONTENT_LENGTH).hash(&mut hasher);
        headers.get(&IDEMPOTENCY_KEY).hash(&mut hasher);
        // Distinguishes the two hashes of one request.
        1_u8.hash(&mut hasher);
        Self { client, request: hasher.finish() }
    }
}
