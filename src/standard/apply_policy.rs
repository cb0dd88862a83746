//! Applies the settings of a policy file to a stack.

use super::StandardLayer;
use crate::{
    bad_gateway::BadGatewayClassifierLayer,
    config::{
        policy::Policy,
        sections::Budget,
        values::{IntoSetting, OrOff, Toggle},
    },
    deadline::DeadlineLayer,
    keys::UriKey,
    logging::LoggingLayer,
    retry::{self, HttpCallAdapter, RetryLayer},
};

impl<C, F, K, Side> StandardLayer<C, HttpCallAdapter<F>, K, Side>
where
    C: Clone,
    F: Clone,
    K: UriKey + Send + Sync + 'static,
    Side: Clone,
{
    /// This stack under a policy, which has the last word. Budgets, circuits and counts are its own: those of `before` if that
    /// had the same settings for them, else new ones.
    pub(crate) fn with_policy(&self, policy: &Policy, before: Option<(&Policy, &Self)>) -> Self {
        let stack = Self { per_key: self.per_key.clone().rebuild(), ..self.clone() };
        let stack = stack.apply_timeouts(policy).apply_retry(policy, before);
        let stack = stack.apply_circuit_breaker(policy, before).apply_in_flight(policy, before);
        stack
            .apply_deadline_header(policy)
            .apply_bad_gateway(policy)
            .apply_logging(policy)
            .apply_trust(policy)
    }

    fn apply_timeouts(mut self, policy: &Policy) -> Self {
        let given = &policy.timeouts;
        if let Some(attempt) = given.attempt.get() {
            self.layers.timeouts.attempt = attempt.into_value();
        }
        if let Some(total) = given.total.get() {
            let total = total.into_value();
            self.layers.timeouts.total = total;
            // How far it reaches no file says.
            let own = self.layers.user_deadline.filter(|own| own.total().is_some());
            self.layers.user_deadline = own.map(|own| own.with_total(total));
        }
        if let Some(idle) = given.body_idle.get() {
            self.layers.timeouts.body_idle = idle.into_value();
        }
        self
    }

    fn apply_retry(mut self, policy: &Policy, before: Option<(&Policy, &Self)>) -> Self {
        let new = |settings: RetryLayer| settings.with_adapter_of(self.retry.clone());
        let retry = match policy.retry.as_ref() {
            None => self.retry.clone(),
            Some(Toggle::Off) => new(RetryLayer::disabled()),
            Some(Toggle::On(given)) if self.layers.off.retry => given.apply(new(RetryLayer::new())),
            Some(Toggle::On(given)) => given.apply(self.retry.clone()),
        };
        let key_fn = self.per_key.key_fn();
        let retry = match (before, budget(policy)) {
            (Some((other, before)), same) if budget(other) == same => {
                retry.share_budgets(&before.retry)
            }
            (_, Some(Toggle::On(given))) => {
                retry.default_budget_per_key(given.build(), move |uri| key_fn.key_of(uri))
            }
            (_, Some(Toggle::Off)) => retry.budget(retry::Budget::none()),
            (_, None) => self.per_key.retry(retry),
        };
        if let Some(given) = policy.retry.as_ref() {
            self.layers.off.retry = *given == Toggle::Off;
        }
        Self { retry, ..self }
    }

    fn apply_circuit_breaker(self, policy: &Policy, before: Option<(&Policy, &Self)>) -> Self {
        let per_key = match (before, policy.circuit_breaker.as_ref()) {
            (Some((other, before)), given) if other.circuit_breaker.as_ref() == given => {
                self.per_key.share_circuits(&before.per_key)
            }
            (_, Some(Toggle::On(given))) => {
                self.per_key.map_breaker(|breaker| given.apply(breaker))
            }
            (_, Some(Toggle::Off)) => self.per_key.set_breaker(None),
            (_, None) => self.per_key,
        };
        Self { per_key, ..self }
    }

    fn apply_in_flight(self, policy: &Policy, before: Option<(&Policy, &Self)>) -> Self {
        let per_key = match (before, policy.in_flight.as_ref()) {
            (Some((other, before)), given) if other.in_flight.as_ref() == given => {
                self.per_key.share_limits(&before.per_key)
            }
            (_, Some(OrOff(given))) => {
                let own = self.per_key.adaptive();
                self.per_key.set_limit(given.as_ref().map(|given| given.build(own)))
            }
            (_, None) => self.per_key,
        };
        Self { per_key, ..self }
    }

    fn apply_deadline_header(self, policy: &Policy) -> Self {
        match policy.next_hop.as_ref() {
            None => self,
            Some(Toggle::Off) => self.deadline_header(None),
            Some(Toggle::On(given)) => self.deadline_header(given.build()),
        }
    }

    fn apply_bad_gateway(self, policy: &Policy) -> Self {
        match policy.bad_gateway.as_ref() {
            None => self,
            Some(Toggle::Off) => self.bad_gateway(None),
            Some(Toggle::On(given)) => {
                let own = self.layers.bad_gateway.clone();
                let layer = if self.layers.off.bad_gateway {
                    BadGatewayClassifierLayer::new()
                } else {
                    own
                };
                self.bad_gateway(given.apply(layer))
            }
        }
    }

    fn apply_logging(self, policy: &Policy) -> Self {
        match policy.logging.as_ref() {
            None => self,
            Some(Toggle::Off) => self.logging(None),
            Some(Toggle::On(given)) => {
                let own = self.layers.logging.clone();
                let layer = if self.layers.off.logging { LoggingLayer::client() } else { own };
                self.logging(given.apply(layer))
            }
        }
    }

    /// Trusts the headers of the policy, and gives each part its time limit.
    fn apply_trust(mut self, policy: &Policy) -> Self {
        let own = self.layers.user_deadline.take();
        let trusts = policy.timeouts.trust.as_ref().is_some_and(|headers| !headers.0.is_empty());
        self.layers.user_deadline = if own.is_some() || trusts {
            let own = own.unwrap_or_else(|| match self.layers.timeouts.total {
                Some(total) => DeadlineLayer::new(total),
                None => DeadlineLayer::disabled(),
            });
            Some(policy.timeouts.trust.apply_to(own, DeadlineLayer::with_trusted))
        } else {
            None
        };
        self.with_resolved_timeouts()
    }
}

fn budget(policy: &Policy) -> Option<&Toggle<Budget>> {
    match policy.retry.as_ref()? {
        Toggle::On(retry) => retry.budget.as_ref(),
        Toggle::Off => None,
    }
}
