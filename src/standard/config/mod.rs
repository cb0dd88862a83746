//! Policies from a file, and swapped while running.

mod apply;
mod error;
mod file;
mod handle;
mod layer;
mod live;
mod policy;
mod prefix;
mod read;
mod routes;
mod sections;
mod service;
mod text;
mod values;
mod wrong;

use std::path::Path;

use http::Uri;

pub use self::{error::InvalidConfig, handle::Handle, layer::ConfiguredLayer, service::Configured};
use self::{policy::Policy, routes::Routes};

/// Policies by what a URL begins with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    default: Policy,
    routes: Routes,
}

impl Config {
    /// Reads TOML.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong: see [`InvalidConfig`]. So is a text without any key: most likely a file that somebody
    /// is about to write; and one of 1 MiB or more.
    pub fn from_toml(text: &str) -> Result<Self, InvalidConfig> {
        read::text(text)
    }

    /// Reads a file in TOML, as [`from_toml`](Self::from_toml) does. Blocks; not more than 1 MiB is read.
    ///
    /// # Errors
    ///
    /// As [`from_toml`](Self::from_toml), and if the file cannot be read, or is not UTF-8.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, InvalidConfig> {
        read::file(path.as_ref())
    }

    /// The prefixes of the routes, in their order, as they are understood: scheme and host in lower case, without a port that
    /// is the scheme's own, and without a slash at the end.
    pub fn prefixes(&self) -> impl ExactSizeIterator<Item = String> {
        self.routes.iter().map(|(prefix, _)| prefix.to_string())
    }

    /// The prefix of the route that a URL takes. `None`: it has the default policy.
    #[must_use]
    pub fn prefix_of(&self, uri: &Uri) -> Option<String> {
        let (prefix, _) = self.routes.iter().nth(self.routes.find(uri)?)?;
        Some(prefix.to_string())
    }
}
