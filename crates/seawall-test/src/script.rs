use std::collections::VecDeque;

use fastrand::Rng;

use crate::{InvalidScript, Step};
use seawall_core::Ratio;

/// The steps of an upstream, one for each request in the order of arrival.
///
/// The steps of [`then`](Self::then) and [`times`](Self::times) come first. All later requests get
/// the step of [`then_repeat`](Self::then_repeat) or a step of [`random`](Self::random). Without
/// either, the script ends, and later requests get a 501, which is not retried.
///
/// A single [`Step`] converts to a script that repeats it. An array or iterator of steps converts
/// to a script that ends.
///
/// ```
/// use seawall::{Ratio, test_util::{Script, Step}};
///
/// let recovering = Script::new()
///     .then(Step::status(502))
///     .then(Step::reset())
///     .then_repeat(Step::ok("hello"));
/// // The same seed gives the same steps.
/// let flaky = Script::random(7, [(Ratio::percent(20), Step::status(502))], Step::ok("hello"))?;
/// # let _ = (recovering, flaky);
/// # Ok::<(), seawall::test_util::InvalidScript>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a script has no effect until an upstream uses it"]
pub struct Script {
    /// The steps, each with the number of remaining requests.
    steps: VecDeque<(u64, Step)>,
    rng: Rng,
    /// The random steps, each with its cumulative probability in millionths.
    random_steps: Vec<(u32, Step)>,
    /// `None` if the script ends.
    repeated: Option<Step>,
}

impl Script {
    /// Creates a script without steps, which an upstream rejects.
    pub fn new() -> Self {
        Self {
            steps: VecDeque::new(),
            rng: Rng::with_seed(0),
            random_steps: Vec::new(),
            repeated: None,
        }
    }

    /// Adds a step for one request.
    pub fn then(self, step: Step) -> Self {
        self.times(1, step)
    }

    /// Adds a step for a number of requests.
    pub fn times(mut self, times: u64, step: Step) -> Self {
        self.steps.push_back((times, step));
        self
    }

    /// Sets the step for all later requests. Replaces an earlier one and the random steps.
    pub fn then_repeat(self, step: Step) -> Self {
        Self { random_steps: Vec::new(), repeated: Some(step), ..self }
    }

    /// Creates a script that selects a random step for each request: each step with its
    /// probability, or else `otherwise`.
    ///
    /// With the same seed, the n-th request gets the same step. Steps added later come first.
    ///
    /// # Errors
    /// Returns [`InvalidScript::NoProbabilities`] without probabilities, and
    /// [`InvalidScript::ProbabilitySumExceedsOne`] if their sum exceeds one.
    pub fn random(
        seed: u64,
        probabilities: impl IntoIterator<Item = (Ratio, Step)>,
        otherwise: Step,
    ) -> Result<Self, InvalidScript> {
        let mut script = Self::new().then_repeat(otherwise);
        script.rng = Rng::with_seed(seed);
        let mut sum = 0_u32;
        for (probability, step) in probabilities {
            sum = sum.saturating_add(probability.millionths());
            script.random_steps.push((sum, step));
        }
        if script.random_steps.is_empty() {
            return Err(InvalidScript::NoProbabilities);
        }
        if sum > Ratio::percent(100).millionths() {
            return Err(InvalidScript::ProbabilitySumExceedsOne);
        }
        Ok(script)
    }

    /// Returns all steps.
    pub(crate) fn steps(&self) -> impl Iterator<Item = &Step> {
        let steps = self.steps.iter().filter(|(times, _)| *times > 0).map(|(_, step)| step);
        steps.chain(self.random_steps.iter().map(|(_, step)| step)).chain(&self.repeated)
    }

    pub(crate) fn validate(&self) -> Result<(), InvalidScript> {
        if self.steps().next().is_none() {
            return Err(InvalidScript::Empty);
        }
        self.steps().try_for_each(Step::validate)
    }

    /// Returns the step of the next request.
    pub(crate) fn next(&mut self) -> Step {
        while let Some((times, step)) = self.steps.front_mut() {
            if let Some(remaining) = times.checked_sub(1) {
                *times = remaining;
                return step.clone();
            }
            self.steps.pop_front();
        }
        let random = self.rng.u32(..Ratio::percent(100).millionths());
        let selected =
            self.random_steps.iter().find(|(bound, _)| random < *bound).map(|(_, step)| step);
        selected
            .or(self.repeated.as_ref())
            .cloned()
            .unwrap_or_else(|| Step::status(501).body("the script has no step for this request"))
    }
}

impl Default for Script {
    fn default() -> Self {
        Self::new()
    }
}

impl From<Step> for Script {
    fn from(step: Step) -> Self {
        Self::new().then_repeat(step)
    }
}

impl<const N: usize> From<[Step; N]> for Script {
    fn from(steps: [Step; N]) -> Self {
        steps.into_iter().collect()
    }
}

impl FromIterator<Step> for Script {
    fn from_iter<I: IntoIterator<Item = Step>>(steps: I) -> Self {
        steps.into_iter().fold(Self::new(), Self::then)
    }
}
