//! Applies the settings of a policy file to a stack.

use super::{
    policy::Policy,
    sections::Budget,
    values::{IntoSetting, OrOff, Toggle},
};
use crate::{
    bad_gateway::BadGatewayClassifierLayer,
    deadline::{DeadlineHeaderLayer, DeadlineLayer},
    logging::LoggingLayer,
    retry::{self, HttpCallAdapter, RetryLayer},
    standard::StandardLayer,
};

impl<C, F, Side> StandardLayer<C, HttpCallAdapter<F>, Side>
where
    C: Clone,
    F: Clone,
    Side: Clone,
{
    /// Returns this stack with the settings of `policy`, which take precedence.
    ///
    /// The stack shares budgets, circuits and in-flight counts with the stack in `previous` if
    /// their settings are unchanged. Otherwise, they start at zero.
    pub(super) fn with_policy(&self, policy: &Policy, previous: Option<(&Policy, &Self)>) -> Self {
        let stack = Self { per_key: self.per_key.clone().reset(), ..self.clone() };
        let stack = stack.apply_timeouts(policy).apply_retry(policy, previous);
        let stack = stack.apply_circuit_breaker(policy, previous).apply_in_flight(policy, previous);
        stack
            .apply_deadline_header(policy)
            .apply_bad_gateway(policy)
            .apply_logging(policy)
            .apply_trust(policy)
    }

    fn apply_timeouts(mut self, policy: &Policy) -> Self {
        let settings = &policy.timeouts;
        if let Some(attempt) = settings.attempt.get() {
            self.layers.timeouts.attempt = attempt.into_setting();
        }
        if let Some(total) = settings.total.get() {
            let total = total.into_setting();
            self.layers.timeouts.total = total;
            // A file has no keys for the other settings of the program's deadline layer.
            let deadline = self.layers.user_deadline.filter(|layer| layer.total().is_some());
            self.layers.user_deadline = deadline.map(|layer| layer.with_total(total));
        }
        if let Some(idle) = settings.body_idle.get() {
            self.layers.timeouts.body_idle = idle.into_setting();
        }
        self
    }

    fn apply_retry(mut self, policy: &Policy, previous: Option<(&Policy, &Self)>) -> Self {
        let with_adapter_of_stack =
            |retry: RetryLayer| retry.with_type_parameters_of(self.retry.clone());
        let retry = match policy.retry.as_ref() {
            None => self.retry.clone(),
            Some(Toggle::Off) => with_adapter_of_stack(RetryLayer::disabled()),
            Some(Toggle::On(settings)) if self.layers.disabled.retry => {
                settings.apply(with_adapter_of_stack(RetryLayer::new()))
            }
            Some(Toggle::On(settings)) => settings.apply(self.retry.clone()),
        };
        let retry = match (previous, budget_settings(policy)) {
            (Some((previous_policy, previous)), settings)
                if budget_settings(previous_policy) == settings =>
            {
                retry.share_budgets(&previous.retry)
            }
            (_, Some(Toggle::On(settings))) => {
                retry.default_budget_per_key(settings.build(), self.per_key.key_fn())
            }
            (_, Some(Toggle::Off)) => retry.budget(retry::Budget::none()),
            (_, None) => self.per_key.add_default_budget(retry),
        };
        if let Some(settings) = policy.retry.as_ref() {
            self.layers.disabled.retry = *settings == Toggle::Off;
        }
        Self { retry, ..self }
    }

    fn apply_circuit_breaker(self, policy: &Policy, previous: Option<(&Policy, &Self)>) -> Self {
        let per_key = match (previous, policy.circuit_breaker.as_ref()) {
            (Some((previous_policy, previous)), settings)
                if previous_policy.circuit_breaker.as_ref() == settings =>
            {
                self.per_key.share_circuits(&previous.per_key)
            }
            (_, Some(Toggle::On(settings))) => {
                self.per_key.update_breaker(|breaker| settings.apply(breaker))
            }
            (_, Some(Toggle::Off)) => self.per_key.set_breaker(None),
            (_, None) => self.per_key,
        };
        Self { per_key, ..self }
    }

    fn apply_in_flight(self, policy: &Policy, previous: Option<(&Policy, &Self)>) -> Self {
        let per_key = match (previous, policy.in_flight.as_ref()) {
            (Some((previous_policy, previous)), settings)
                if previous_policy.in_flight.as_ref() == settings =>
            {
                self.per_key.share_limits(&previous.per_key)
            }
            (_, Some(OrOff(limit))) => {
                let program_limit = self.per_key.adaptive_limit();
                self.per_key.set_limit(limit.as_ref().map(|limit| limit.build(program_limit)))
            }
            (_, None) => self.per_key,
        };
        Self { per_key, ..self }
    }

    fn apply_deadline_header(self, policy: &Policy) -> Self {
        match policy.next_hop.as_ref() {
            None => self,
            Some(Toggle::Off) => self.deadline_header(DeadlineHeaderLayer::disabled()),
            Some(Toggle::On(settings)) => {
                self.deadline_header(settings.build().unwrap_or_else(DeadlineHeaderLayer::disabled))
            }
        }
    }

    fn apply_bad_gateway(self, policy: &Policy) -> Self {
        match policy.bad_gateway.as_ref() {
            None => self,
            Some(Toggle::Off) => self.without_bad_gateway(),
            Some(Toggle::On(settings)) => {
                let layer = if self.layers.disabled.bad_gateway {
                    BadGatewayClassifierLayer::new()
                } else {
                    self.layers.bad_gateway.clone()
                };
                self.bad_gateway(settings.apply(layer))
            }
        }
    }

    fn apply_logging(self, policy: &Policy) -> Self {
        match policy.logging.as_ref() {
            None => self,
            Some(Toggle::Off) => self.without_logging(),
            Some(Toggle::On(settings)) => {
                let layer = if self.layers.disabled.logging {
                    LoggingLayer::client()
                } else {
                    self.layers.logging.clone()
                };
                self.logging(settings.apply(layer))
            }
        }
    }

    /// Trusts the headers of the policy, and resolves the timeouts of all layers.
    fn apply_trust(mut self, policy: &Policy) -> Self {
        let user_deadline = self.layers.user_deadline.take();
        let trusts_headers =
            policy.timeouts.trust.as_ref().is_some_and(|headers| !headers.0.is_empty());
        self.layers.user_deadline = if user_deadline.is_some() || trusts_headers {
            let deadline = user_deadline.unwrap_or_else(|| match self.layers.timeouts.total {
                Some(total) => DeadlineLayer::new(total),
                None => DeadlineLayer::disabled(),
            });
            Some(policy.timeouts.trust.apply_to(deadline, DeadlineLayer::with_trusted))
        } else {
            None
        };
        self.with_resolved_timeouts()
    }
}

fn budget_settings(policy: &Policy) -> Option<&Toggle<Budget>> {
    match policy.retry.as_ref()? {
        Toggle::On(retry) => retry.budget.as_ref(),
        Toggle::Off => None,
    }
}
