//! The sections of the configuration file about access.

use std::{num::NonZeroU32, ops::Range};

use http::{HeaderValue, Uri};
use serde::Deserialize;
use toml::Spanned;

use super::api_key::ApiKey;

/// The settings of access.
#[derive(Clone, Debug)]
pub(crate) struct AccessConfig<'a> {
    pub(crate) clients: &'a [ClientConfig],
    pub(crate) admin: Option<&'a AdminConfig>,
    pub(crate) allowed_origins: &'a [AllowedOrigin],
}

/// `[[client]]`: a client that may send requests to services.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClientConfig {
    pub(super) name: Spanned<String>,
    /// The environment variable with the token, which the client sends as its API key.
    pub(super) token_env: ApiKey,
    /// The services that the client may use. All by default.
    #[serde(default)]
    pub(super) services: Option<Vec<Spanned<String>>>,
}

/// `[limit]`: the rate limit of each client.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(crate) struct RateLimitConfig {
    pub(super) requests_per_minute: NonZeroU32,
    /// The number of requests that an idle client may send at once.
    pub(super) burst: NonZeroU32,
}

/// `[admin]`: access to the dashboard, the metrics and the controls.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(crate) struct AdminConfig {
    /// The environment variable with the token.
    pub(super) token_env: Spanned<ApiKey>,
    /// Whether callers from a loopback address need no token. True by default.
    #[serde(default = "default_loopback")]
    pub(super) loopback: bool,
}

fn default_loopback() -> bool {
    true
}

/// An origin whose pages may use services to which the gateway adds API keys.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub(crate) struct AllowedOrigin(HeaderValue);

impl AllowedOrigin {
    pub(super) fn is(&self, origin: &HeaderValue) -> bool {
        self.0 == origin
    }
}

impl TryFrom<String> for AllowedOrigin {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        const EXPECTED: &str = "expected an origin such as `https://app.example`, in lower case";
        let uri: Uri = text.parse().map_err(|_| EXPECTED)?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(EXPECTED);
        };
        // Browsers send an origin in lower case, and without a user, a path or a default port.
        let is_origin = text == format!("{scheme}://{authority}")
            && text == text.to_lowercase()
            && !authority.as_str().contains(['@', '*'])
            && !matches!((scheme, authority.port_u16()), ("http", Some(80)) | ("https", Some(443)));
        if !is_origin {
            return Err(EXPECTED);
        }
        HeaderValue::try_from(text).map(Self).map_err(|_| EXPECTED)
    }
}

/// Checks the settings. `is_service` returns whether a service with this name exists.
///
/// # Errors
/// Returns the position and the description of an invalid value.
pub(crate) fn validate(
    AccessConfig { clients, admin, .. }: &AccessConfig<'_>,
    is_service: impl Fn(&str) -> bool,
) -> Result<(), (Range<usize>, String)> {
    for (index, client) in clients.iter().enumerate() {
        let (name, earlier) = (client.name.as_ref(), &clients[..index]);
        let message = if name.is_empty() || name.chars().any(char::is_control) {
            "expected a name without control characters".into()
        } else if earlier.iter().any(|other| other.name.as_ref() == name) {
            format!("`{name}` is already the name of another client")
        } else if earlier.iter().any(|other| other.token_env.has_same_value(&client.token_env)) {
            format!("`{name}` has the token of another client")
        } else if client.services.as_ref().is_some_and(Vec::is_empty) {
            format!("`{name}` may use no service: expected a service, or no `services`")
        } else {
            let services = client.services.iter().flatten();
            match services.into_iter().find(|service| !is_service(service.as_ref())) {
                Some(service) => {
                    let message = format!("expected a service, found `{}`", service.as_ref());
                    return Err((service.span(), message));
                }
                None => continue,
            }
        };
        return Err((client.name.span(), message));
    }
    let Some(AdminConfig { token_env, .. }) = admin else { return Ok(()) };
    match clients.iter().find(|client| client.token_env.has_same_value(token_env.as_ref())) {
        Some(client) => {
            let message = format!("expected another token than that of `{}`", client.name.as_ref());
            Err((token_env.span(), message))
        }
        None => Ok(()),
    }
}
