use std::sync::Arc;

use super::policy::Policy;

/// Retries one request by other settings than the layer's, from the request's extensions.
///
/// All settings of the given layer hold, those left at their defaults too, except the budget, the classifier and how
/// bodies are handed on: these stay the layer's that the request passes.
///
/// ```
/// use seawall::retry::{RetryLayer, RetryOverride};
///
/// let never = RetryOverride::new(RetryLayer::new().max_retries(0));
/// let mut request = http::Request::get("http://upstream/").body(())?;
/// request.extensions_mut().insert(never.clone());
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct RetryOverride {
    pub(super) policy: Arc<Policy>,
}

impl RetryOverride {
    /// The policy that a request brings along.
    #[inline]
    pub(super) fn of(extensions: &http::Extensions) -> Option<Arc<Policy>> {
        extensions.get::<Self>().map(|this| Arc::clone(&this.policy))
    }
}
