//! The tokens of the gateway, and their comparison.

use std::{fmt, sync::Arc};

use ring::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use subtle::{Choice, ConstantTimeEq};

use super::{
    api_key::ApiKey,
    config::{AdminConfig, ClientConfig},
};

/// The length of a token of 128 random bits in base64 (without padding).
const STRONG_TOKEN_CHARS: usize = 22;

/// A token of the gateway. `Debug` does not print it.
#[derive(Clone)]
pub(super) struct Token {
    key: ApiKey,
    digest: [u8; SHA256_OUTPUT_LEN],
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

impl Token {
    pub(super) fn new(key: ApiKey) -> Self {
        let digest = Presented::new(key.as_bytes()).0;
        Self { key, digest }
    }

    /// Returns whether the token is long enough that guesses are infeasible at any rate.
    pub(super) fn is_strong(&self) -> bool {
        self.as_bytes().len() >= STRONG_TOKEN_CHARS
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.key.as_bytes()
    }

    pub(super) fn matches(&self, presented: &Presented) -> Choice {
        self.digest.ct_eq(&presented.0)
    }
}

/// The digest of a text that may be a token.
///
/// Digests have one length, so a comparison does not reveal the length of a token.
pub(super) struct Presented([u8; SHA256_OUTPUT_LEN]);

impl Presented {
    pub(super) fn new(text: &[u8]) -> Self {
        let mut bytes = [0; SHA256_OUTPUT_LEN];
        bytes.copy_from_slice(digest(&SHA256, text).as_ref());
        Self(bytes)
    }
}

/// A client with its token.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) name: Arc<str>,
    pub(super) token: Token,
    /// The services that the client may use. `None` allows all.
    services: Option<Arc<[String]>>,
}

impl Client {
    pub(super) fn may_use(&self, service: &str) -> bool {
        self.services.as_ref().is_none_or(|services| services.iter().any(|name| name == service))
    }
}

/// All tokens of the gateway.
///
/// # Clone
///
/// Clones share the tokens.
#[derive(Clone, Debug)]
pub(super) struct Tokens {
    clients: Arc<[Client]>,
    admin: Option<Token>,
}

impl Tokens {
    pub(super) fn new(clients: &[ClientConfig], admin: Option<&AdminConfig>) -> Self {
        let clients = clients.iter().map(|client| Client {
            name: client.name.as_ref().as_str().into(),
            token: Token::new(client.token_env.clone()),
            services: client
                .services
                .as_ref()
                .map(|services| services.iter().map(|service| service.as_ref().clone()).collect()),
        });
        let admin = admin.map(|admin| Token::new(admin.token_env.as_ref().clone()));
        Self { clients: clients.collect(), admin }
    }

    pub(super) fn has_clients(&self) -> bool {
        !self.clients.is_empty()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.clients.is_empty() && self.admin.is_none()
    }

    /// Returns the client with this token. Compares all tokens in constant time, so that the
    /// duration reveals neither a token nor its position.
    pub(super) fn client(&self, presented: &Presented) -> Option<&Client> {
        let matches = |client: &&Client| bool::from(client.token.matches(presented));
        self.clients.iter().filter(matches).last()
    }

    /// Returns whether the text is the token of a client or of `[admin]`, in constant time.
    pub(super) fn contains(&self, text: &[u8]) -> bool {
        let presented = Presented::new(text);
        let tokens = self.clients.iter().map(|client| &client.token).chain(&self.admin);
        tokens.fold(Choice::from(0), |found, token| found | token.matches(&presented)).into()
    }
}
