//! The rules for the dashboard, the metrics and the controls.
//!
//! | caller | admitted |
//! |---|---|
//! | page of another origin | no, except that a link to the dashboard opens it |
//! | with the token of `[admin]`, as Bearer or as the password of HTTP Basic | yes |
//! | from a loopback address, `Host` is an IP address or `localhost`, and no proxy added a field | yes, unless `[admin]` has `loopback = false` |
//! | any other | no |
//!
//! A request that changes something must also state its origin, by `Sec-Fetch-Site` or `Origin`,
//! because an old browser sends neither for a foreign page. A Bearer token replaces this, because a
//! browser does not send one by itself.

use axum::body::Body;
use http::{HeaderMap, Request, header::AUTHORIZATION};
use tokio::time::Instant;

use super::{
    client_address::ClientNetwork,
    config::AdminConfig,
    credentials::Credential,
    failed_tokens::FailedTokens,
    origin,
    problem::Problem,
    token::{Presented, Token},
};
use crate::forward::peer_address;

const FOREIGN_PAGE: Problem =
    Problem::forbidden("The request came from a page of another origin than this gateway.");
const NO_ORIGIN: Problem = Problem::forbidden(
    "The request must come from the gateway's page, or carry the token of [admin] as a Bearer \
     token.",
);
const HOST_IS_NAME: Problem = Problem::forbidden(
    "Without the token of [admin], the host of the URL must be an IP address or localhost.",
);
const NOT_LOOPBACK: Problem = Problem::forbidden(
    "Only callers on the gateway's own host have access, unless the configuration file has a token \
     in [admin].",
);
const NO_TOKEN: Problem = Problem::unauthorized(
    "Send the token of [admin] as a Bearer token, or as the password of HTTP Basic.",
    &["Bearer realm=\"seawall-gateway\"", "Basic realm=\"seawall-gateway\", charset=\"UTF-8\""],
);

/// The fields that a proxy adds, and all that start with `x-forwarded-`.
const PROXY_FIELDS: [&str; 3] = ["forwarded", "via", "x-real-ip"];

/// The rules with their settings. By default, loopback callers are admitted, and there is no token.
#[derive(Debug)]
pub(super) struct AdminPolicy {
    token: Option<Token>,
    loopback: bool,
}

impl Default for AdminPolicy {
    fn default() -> Self {
        Self { token: None, loopback: true }
    }
}

/// The result of the comparison with the token.
#[derive(Clone, Copy, PartialEq, Eq)]
enum TokenCheck {
    Bearer,
    Basic,
    Wrong,
    Missing,
}

impl AdminPolicy {
    pub(super) fn new(config: &AdminConfig) -> Self {
        let token = Some(Token::new(config.token_env.as_ref().clone()));
        Self { token, loopback: config.loopback }
    }

    /// Returns the refusal of a request that is not admitted.
    pub(super) fn check(
        &self,
        request: &Request<Body>,
        failed_tokens: &FailedTokens,
    ) -> Result<(), Problem> {
        let headers = request.headers();
        if origin::is_foreign(headers) && !origin::is_navigation(request.method(), headers) {
            return Err(FOREIGN_PAGE);
        }
        let network = ClientNetwork::of(request);
        let now = Instant::now();
        let admitted_by = match self.check_token(headers) {
            TokenCheck::Bearer | TokenCheck::Basic
                if !self.has_strong_token() && failed_tokens.wait(network, now).is_some() =>
            {
                TokenCheck::Wrong
            }
            check => check,
        };
        if !matches!(admitted_by, TokenCheck::Bearer | TokenCheck::Basic) {
            self.check_loopback(request).map_err(|refusal| {
                if admitted_by == TokenCheck::Wrong {
                    let wait = failed_tokens.record(network, 1, now);
                    wait.map_or(NO_TOKEN, Problem::too_many_wrong_tokens)
                } else {
                    refusal
                }
            })?;
        }
        let needs_origin = !request.method().is_safe() && admitted_by != TokenCheck::Bearer;
        if needs_origin && !origin::is_same_origin(headers) {
            return Err(NO_ORIGIN);
        }
        Ok(())
    }

    fn has_strong_token(&self) -> bool {
        self.token.as_ref().is_some_and(Token::is_strong)
    }

    fn check_token(&self, headers: &HeaderMap) -> TokenCheck {
        let (Some(token), Some(value)) = (&self.token, headers.get(AUTHORIZATION)) else {
            return TokenCheck::Missing;
        };
        let Credential { forms, is_basic } = Credential::from_header(value);
        // The last form is the password of HTTP Basic, or the text after the scheme.
        let matches = forms.last().map(|form| token.matches(&Presented::new(form)));
        match (matches.is_some_and(bool::from), is_basic) {
            (true, false) => TokenCheck::Bearer,
            (true, true) => TokenCheck::Basic,
            (false, _) => TokenCheck::Wrong,
        }
    }

    fn check_loopback(&self, request: &Request<Body>) -> Result<(), Problem> {
        let headers = request.headers();
        // Behind a proxy on this host, every connection comes from a loopback address.
        let is_local = peer_address(request.extensions()).is_some_and(|peer| peer.is_loopback())
            && !headers.keys().any(|name| {
                PROXY_FIELDS.contains(&name.as_str()) || name.as_str().starts_with("x-forwarded-")
            });
        if !self.loopback || !is_local {
            return Err(if self.token.is_some() { NO_TOKEN } else { NOT_LOOPBACK });
        }
        if origin::host_is_ip_or_localhost(headers) { Ok(()) } else { Err(HOST_IS_NAME) }
    }
}
