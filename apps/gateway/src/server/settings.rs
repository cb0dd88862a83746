//! The settings in force, which a reload replaces.

use std::sync::{Arc, PoisonError, RwLock};

use super::{
    config::ServerConfig,
    connection_info::Scheme,
    tls::{Acceptor, TlsError},
};

/// Settings whose certificate is loaded.
#[derive(Default)]
pub(crate) struct Settings {
    pub(super) config: ServerConfig,
    pub(super) tls: Option<Acceptor>,
}

impl Settings {
    /// Loads the certificate, if there is one.
    ///
    /// # Errors
    /// Returns an error if the certificate or the key is missing or invalid.
    pub(crate) fn load(config: ServerConfig) -> Result<Self, TlsError> {
        let tls = config.tls.as_ref().map(Acceptor::load).transpose()?;
        Ok(Self { config, tls })
    }
}

/// The settings in force.
///
/// New connections get them. `max_connections` is an exception: the value at the start stays.
///
/// # Clone
///
/// Clones share the settings.
#[derive(Clone, Default)]
pub(crate) struct ActiveSettings(Arc<RwLock<Arc<Settings>>>);

impl ActiveSettings {
    pub(crate) fn new(settings: Settings) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(settings))))
    }

    /// Returns the scheme of the callers' URLs.
    pub(crate) fn scheme(&self) -> Scheme {
        if self.get().tls.is_some() { Scheme::Https } else { Scheme::Http }
    }

    /// Replaces the settings.
    pub(crate) fn replace(&self, settings: Settings) {
        if settings.config.max_connections != self.get().config.max_connections {
            tracing::warn!("the new max_connections takes effect at the next start");
        }
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
    }

    pub(super) fn get(&self) -> Arc<Settings> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}
