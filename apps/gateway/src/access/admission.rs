//! The decision whether a request may use a service.

use std::{sync::Arc, time::Duration};

use axum::body::Body;
use http::{HeaderMap, Request, header::ORIGIN};
use seawall::RequestAttributes;
use tokio::time::Instant;

use super::{
    auth::AuthLayer,
    client_address::ClientNetwork,
    config::{AccessConfig, AllowedOrigin},
    credentials::{self, Credential},
    failed_tokens::FailedTokens,
    origin,
    problem::Problem,
    rate_limit::{ClientId, ClientRateLimiter},
    redact,
    token::{Client, Presented, Tokens},
};

/// The maximum number of credentials of a request, which bounds the number of comparisons.
const MAX_CREDENTIALS: usize = 16;

const NO_TOKEN: Problem = Problem::unauthorized(
    "Send a client token of this gateway as the API key.",
    &["Bearer realm=\"seawall-gateway\""],
);
const TOO_MANY_CREDENTIALS: Problem =
    Problem::bad_request("The request has more than 16 credentials.");
const OTHER_SERVICE: Problem =
    Problem::forbidden("The `services` of this client do not include this service.");
const FOREIGN_PAGE: Problem = Problem::forbidden(
    "A page of another origin may use this service only if its origin is in `allowed_origins`, or \
     with a client token that is not sent as HTTP Basic.",
);

/// The access to all services.
///
/// # Clone
///
/// Clones share the rate limiter and the counts of wrong tokens.
#[derive(Clone, Debug)]
pub(crate) struct ServiceAccess {
    tokens: Tokens,
    allowed_origins: Arc<[AllowedOrigin]>,
    rate_limiter: Option<Arc<ClientRateLimiter>>,
    failed_tokens: Arc<FailedTokens>,
}

impl ServiceAccess {
    pub(crate) fn new(
        config: &AccessConfig<'_>,
        rate_limiter: Option<Arc<ClientRateLimiter>>,
        failed_tokens: Arc<FailedTokens>,
    ) -> Self {
        Self {
            tokens: Tokens::new(config.clients, config.admin),
            allowed_origins: config.allowed_origins.into(),
            rate_limiter,
            failed_tokens,
        }
    }

    /// Returns the layer in front of a service. `adds_api_keys` is whether any of its upstreams has
    /// an API key.
    pub(crate) fn auth_layer(&self, service: &str, adds_api_keys: bool) -> AuthLayer {
        let service = service.into();
        AuthLayer(Arc::new(Admission { access: self.clone(), service, adds_api_keys }))
    }

    /// Returns whether a service is protected from the pages of other origins.
    pub(super) fn guards_origins(&self, adds_api_keys: bool) -> bool {
        adds_api_keys || self.tokens.has_clients()
    }

    pub(super) fn allowed_origins(&self) -> Arc<[AllowedOrigin]> {
        Arc::clone(&self.allowed_origins)
    }
}

/// The name of the client that sent a request, as a request extension.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ClientName(Arc<str>);

/// The access to one service.
#[derive(Clone, Debug)]
pub(super) struct Admission {
    access: ServiceAccess,
    service: Arc<str>,
    adds_api_keys: bool,
}

/// The reason why a request is not admitted.
pub(super) enum Denied {
    Refused(Problem),
    /// The client exceeded its rate limit. The duration is the time until its next request.
    RateLimited(Duration),
}

impl From<Problem> for Denied {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

impl Admission {
    /// Returns the request without the tokens of the gateway.
    pub(super) fn admit(&self, request: Request<Body>) -> Result<Request<Body>, Denied> {
        let tokens = &self.access.tokens;
        let attributes = request.extensions().get::<RequestAttributes>().cloned();
        if let Some(attributes) = &attributes {
            attributes.set_service(Arc::clone(&self.service));
        }
        let network = ClientNetwork::of(&request);
        let client = if tokens.has_clients() {
            Some(self.authenticate(&request, network)?)
        } else if self.adds_api_keys && self.is_foreign_or_rebound(request.headers()) {
            return Err(FOREIGN_PAGE.into());
        } else {
            None
        };
        if let (Some(attributes), Some(client)) = (attributes, client) {
            attributes.set_client(Arc::clone(&client.name));
        }
        if let Some(limiter) = &self.access.rate_limiter {
            let named = client.map(|client| ClientId::Named(Arc::clone(&client.name)));
            limiter.check(named.unwrap_or_else(|| network.into())).map_err(Denied::RateLimited)?;
        }
        if tokens.is_empty() {
            return Ok(request);
        }
        let name = client.map(|client| ClientName(Arc::clone(&client.name)));
        let (mut head, body) = request.into_parts();
        let own = client.map(|client| &client.token);
        redact::remove_tokens(&mut head.headers, &mut head.uri, tokens, own);
        if let Some(name) = name {
            head.extensions.insert(name);
        }
        Ok(Request::from_parts(head, body))
    }

    /// Returns the client whose token the request carries.
    fn authenticate(
        &self,
        request: &Request<Body>,
        network: Option<ClientNetwork>,
    ) -> Result<&Client, Problem> {
        let now = Instant::now();
        let presented: Vec<_> = credentials::presented(request.headers(), request.uri())
            .take(MAX_CREDENTIALS + 1)
            .collect();
        if presented.len() > MAX_CREDENTIALS {
            return Err(TOO_MANY_CREDENTIALS);
        }
        // Checks all credentials, so that the duration does not reveal which one is valid.
        let mut found: Vec<_> = presented
            .iter()
            .filter_map(|credential| Some((self.client(credential)?, credential.is_basic)))
            .collect();
        let wait = self.access.failed_tokens.wait(network, now);
        found.retain(|(client, _)| client.token.is_strong() || wait.is_none());
        let Some(&(client, is_basic)) = found.first() else {
            if presented.is_empty() {
                return Err(NO_TOKEN);
            }
            let wait = self.access.failed_tokens.record(network, presented.len(), now);
            return Err(wait.map_or(NO_TOKEN, Problem::too_many_wrong_tokens));
        };
        // A browser sends HTTP Basic for any page, so it does not prove that the page has the token.
        if self.adds_api_keys && is_basic && self.is_foreign(request.headers()) {
            return Err(FOREIGN_PAGE);
        }
        if client.may_use(&self.service) { Ok(client) } else { Err(OTHER_SERVICE) }
    }

    fn client(&self, credential: &Credential<'_>) -> Option<&Client> {
        let clients =
            credential.forms.iter().map(|form| self.access.tokens.client(&Presented::new(form)));
        clients.fold(None, Option::or)
    }

    fn is_foreign(&self, headers: &HeaderMap) -> bool {
        origin::is_foreign(headers) && !self.is_allowed(headers)
    }

    fn is_foreign_or_rebound(&self, headers: &HeaderMap) -> bool {
        let is_own = !origin::is_foreign(headers) && origin::host_is_ip_or_localhost(headers);
        !is_own && !self.is_allowed(headers)
    }

    fn is_allowed(&self, headers: &HeaderMap) -> bool {
        let mut origins = headers.get_all(ORIGIN).iter();
        let (Some(origin), None) = (origins.next(), origins.next()) else { return false };
        self.access.allowed_origins.iter().any(|allowed| allowed.is(origin))
    }
}
