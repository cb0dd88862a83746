//! What the file says.

use std::{fs::File, io::Read, net::SocketAddr, num::NonZeroU32, path::Path, time::Duration};

use http::Uri;
use serde::{Deserialize, Deserializer, de::Error};
use toml::Spanned;

use super::{
    fault::Fault,
    key::{Key, Placement},
    scripted::Script,
};
use crate::cli;

/// A file of more bytes than that is none of ours.
const LONGEST: u64 = 1 << 20;

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// For each client; without it, clients are not limited.
    #[serde(default)]
    pub(super) limit: Option<Limit>,
    /// Who may ask; without any, whoever reaches the gateway.
    #[serde(default, rename = "client")]
    pub(super) clients: Vec<Client>,
    /// Of services with upstreams.
    #[serde(default)]
    pub(super) policy: Policy,
    /// Of services with a URL.
    #[serde(default)]
    pub(super) policies: seawall::config::Config,
    #[serde(default, rename = "service")]
    pub(super) services: Vec<Service>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(super) struct Limit {
    pub(super) requests_per_minute: NonZeroU32,
    /// How many may come at once, after a pause.
    pub(super) burst: NonZeroU32,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Client {
    pub(super) name: Spanned<String>,
    /// The variable that holds what the client shows for a key.
    pub(super) token_env: Key,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Policy {
    /// Up to the head of the response.
    #[serde(with = "humantime_serde")]
    pub(super) attempt: Duration,
    /// All attempts together, up to the head of the response.
    #[serde(with = "humantime_serde")]
    pub(super) total: Duration,
    /// Between two pieces of a body.
    #[serde(with = "humantime_serde")]
    pub(super) idle: Duration,
    /// Not counting the first attempt.
    pub(super) retries: u32,
    /// Whether requests are sent again that may have been processed.
    pub(super) any_method: bool,
    /// How long a request's body may be to be sent again.
    pub(super) body_limit: usize,
    /// So many failures in a row open a circuit.
    pub(super) open_after: NonZeroU32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            attempt: Duration::from_secs(300),
            total: Duration::from_secs(600),
            idle: Duration::from_secs(300),
            retries: 3,
            any_method: false,
            body_limit: 4 << 20,
            open_after: const { NonZeroU32::new(5).unwrap() },
        }
    }
}

/// What stands at `/NAME`.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub(super) struct Service {
    pub(super) name: Spanned<Name>,
    /// Of a server whose requests go nowhere else, and as they are.
    #[serde(default, deserialize_with = "url")]
    pub(super) url: Option<Uri>,
    #[serde(default, rename = "upstream")]
    pub(super) upstreams: Vec<Upstream>,
}

/// Where a service's requests may go.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub(super) struct Upstream {
    #[serde(default, deserialize_with = "url")]
    pub(super) url: Option<Uri>,
    /// In place of a URL: one that runs inside of the gateway, to try it.
    #[serde(default)]
    pub(super) script: Option<Script>,
    /// The variable that holds the key; without it, the client's own credentials are passed on.
    #[serde(default)]
    pub(super) api_key_env: Option<Key>,
    /// Where the key is put.
    #[serde(default)]
    pub(super) api_key_header: Placement,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub(super) struct Name(pub(super) String);

impl TryFrom<String> for Name {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, &'static str> {
        cli::check_name(&name).map(|()| Self(name))
    }
}

fn url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Uri>, D::Error> {
    cli::url(&String::deserialize(deserializer)?).map(Some).map_err(D::Error::custom)
}

impl Config {
    /// Reads a file, for a gateway that listens at `listen`.
    pub(crate) fn read(path: &Path, listen: SocketAddr) -> Result<Self, Fault> {
        let file = path.display();
        let cannot = |error| Fault(format!("cannot read {file}: {error}"));
        let mut bytes = Vec::new();
        let opened = File::open(path).map_err(cannot)?;
        opened.take(LONGEST + 1).read_to_end(&mut bytes).map_err(cannot)?;
        if bytes.len() as u64 > LONGEST {
            return Err(Fault(format!("{file}: longer than a mebibyte")));
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            Fault(format!("{file}: not UTF-8 at byte {}", error.utf8_error().valid_up_to()))
        })?;
        let config: Self =
            toml::from_str(&text).map_err(|error| Fault::of_toml(path, &text, &error))?;
        config.check(path, &text, listen).map(|()| config)
    }

    fn check(&self, path: &Path, text: &str, listen: SocketAddr) -> Result<(), Fault> {
        let file = path.display();
        if self.services.is_empty() {
            return Err(Fault(format!("{file}: expected at least one [[service]]")));
        }
        for (at, service) in self.services.iter().enumerate() {
            let name = &service.name;
            if self.services[..at].iter().any(|other| other.name.as_ref() == name.as_ref()) {
                let what = format!("{} is the name of another service", name.as_ref().0);
                return Err(Fault::at(path, text, name.span(), &what));
            }
            let what = if service.upstreams.is_empty() == service.url.is_none() {
                "expected either a url or at least one upstream"
            } else if service.upstreams.iter().any(|one| one.url.is_some() == one.script.is_some())
            {
                "expected an upstream to have either a url or a script"
            } else {
                continue;
            };
            let what = format!("{}: {what}", name.as_ref().0);
            return Err(Fault::at(path, text, name.span(), &what));
        }
        for (at, client) in self.clients.iter().enumerate() {
            let earlier = &self.clients[..at];
            if earlier.iter().any(|other| other.name.as_ref() == client.name.as_ref()) {
                let what = format!("{} is the name of another client", client.name.as_ref());
                return Err(Fault::at(path, text, client.name.span(), &what));
            }
            if earlier.iter().any(|other| other.token_env.same_value(&client.token_env)) {
                let what = format!("{} has the token of another client", client.name.as_ref());
                return Err(Fault::at(path, text, client.name.span(), &what));
            }
        }
        let Policy { attempt, total, idle, .. } = self.policy;
        if attempt.is_zero() || total < attempt || idle.is_zero() {
            let what = "[policy]: expected 0s < attempt <= total, and 0s < idle";
            return Err(Fault(format!("{file}: {what}")));
        }
        if self.has_keys() && self.clients.is_empty() && !listen.ip().is_loopback() {
            return Err(Fault(format!(
                "{file}: whoever reaches {listen} could use the keys: expected a [[client]], or a loopback address to listen at"
            )));
        }
        Ok(())
    }

    pub(super) fn has_keys(&self) -> bool {
        self.services
            .iter()
            .flat_map(|service| &service.upstreams)
            .any(|upstream| upstream.api_key_env.is_some())
    }
}
