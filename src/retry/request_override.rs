use std::sync::Arc;

use super::policy::Policy;

/// The retry settings of one request. Insert it into the request's extensions.
///
/// All settings of the given layer apply, including those left at their defaults. The exceptions
/// are the budget, the classifier, the total timeout, the deadline margin and the body conversion.
/// These stay those of the layer that handles the request.
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
    /// Returns the policy of the override in `extensions`, if any.
    #[inline]
    pub(super) fn policy_in(extensions: &http::Extensions) -> Option<Arc<Policy>> {
        extensions.get::<Self>().map(|this| Arc::clone(&this.policy))
    }
}
