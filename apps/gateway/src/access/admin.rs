//! Access to the dashboard, the metrics and the controls.

use std::sync::{Arc, PoisonError, RwLock};

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{
    admin_policy::AdminPolicy, client_address::client_address, config::AdminConfig,
    failed_tokens::FailedTokens, refusals::RefusalLog,
};

/// The policy of the dashboard, the metrics and the controls, which a reload replaces.
///
/// # Clone
///
/// Clones share the policy and the counts of wrong tokens.
#[derive(Clone, Debug, Default)]
pub(crate) struct AdminAccess {
    policy: Arc<RwLock<Arc<AdminPolicy>>>,
    failed_tokens: Arc<FailedTokens>,
    refusals: RefusalLog,
}

impl AdminAccess {
    pub(crate) fn new(config: Option<&AdminConfig>) -> Self {
        let access = Self::default();
        access.replace(config);
        access
    }

    /// Replaces the policy. The counts of wrong tokens stay.
    pub(crate) fn replace(&self, config: Option<&AdminConfig>) {
        let policy = Arc::new(config.map(AdminPolicy::new).unwrap_or_default());
        *self.policy.write().unwrap_or_else(PoisonError::into_inner) = policy;
    }

    /// Returns the counts of wrong tokens, which the services share.
    pub(crate) fn failed_tokens(&self) -> Arc<FailedTokens> {
        Arc::clone(&self.failed_tokens)
    }
}

/// Refuses a request that the policy does not admit. For `axum::middleware::from_fn_with_state`.
pub(crate) async fn require_admin(
    State(access): State<AdminAccess>,
    request: Request,
    next: Next,
) -> Response {
    let policy = Arc::clone(&access.policy.read().unwrap_or_else(PoisonError::into_inner));
    match policy.check(&request, &access.failed_tokens) {
        Ok(()) => next.run(request).await,
        Err(problem) => {
            let route = request.extensions().get().map_or("/@/", MatchedPath::as_str);
            let client = client_address(&request);
            let (status, detail) = (problem.status(), problem.detail());
            access.refusals.record(status, request.method(), route, client, detail);
            problem.into_response()
        }
    }
}
