use std::collections::VecDeque;

use fastrand::Rng;

use crate::{InvalidScript, Step};
use seawall_core::Ratio;

/// The steps of an upstream, one for each request in the order of arrival.
///
/// The steps of [`then`](Self::then) and [`times`](Self::times) are first. The step of [`then_repeat`](Self::then_repeat) or
/// [`random`](Self::random) follows for all further requests. Without either the script ends: the response to further requests is a
/// 501, which is not retried.
///
/// One [`Step`] is a script that repeats it. An array or iterator of steps is a script that ends.
///
/// ```
/// use seawall::{Ratio, test_util::{Script, Step}};
///
/// let recovering = Script::new().then(Step::status(502)).then(Step::reset()).then_repeat(Step::ok("hello"));
/// // The same for the same seed.
/// let flaky = Script::random(7, [(Ratio::percent(20), Step::status(502))], Step::ok("hello"))?;
/// # let _ = (recovering, flaky);
/// # Ok::<(), seawall::test_util::InvalidScript>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a script does nothing until an upstream follows it"]
pub struct Script {
    /// Each with the number of requests that are left.
    steps: VecDeque<(u64, Step)>,
    random: Rng,
    /// A step is selected by a random number below its bound, and not below the bound before.
    chances: Vec<(u32, Step)>,
    /// `None` if the script ends.
    repeated: Option<Step>,
}

impl Script {
    /// Creates a script without a step, which an upstream rejects.
    pub fn new() -> Self {
        Self {
            steps: VecDeque::new(),
            random: Rng::with_seed(0),
            chances: Vec::new(),
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

    /// Sets the step for all further requests. Replaces the former one.
    pub fn then_repeat(self, step: Step) -> Self {
        Self { chances: Vec::new(), repeated: Some(step), ..self }
    }

    /// Creates a script that selects a step for each request at random: each with its chance, or else `otherwise`. With the same seed
    /// the n-th request has the same step. Added steps come before.
    ///
    /// # Errors
    /// [`InvalidScript::NoProbabilities`] without chances, [`InvalidScript::ProbabilitySumExceedsOne`] if their sum exceeds one.
    pub fn random(
        seed: u64,
        chances: impl IntoIterator<Item = (Ratio, Step)>,
        otherwise: Step,
    ) -> Result<Self, InvalidScript> {
        let mut script = Self::new().then_repeat(otherwise);
        script.random = Rng::with_seed(seed);
        let mut sum = 0_u32;
        for (chance, step) in chances {
            sum = sum.saturating_add(chance.millionths());
            script.chances.push((sum, step));
        }
        if script.chances.is_empty() {
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
        steps.chain(self.chances.iter().map(|(_, step)| step)).chain(&self.repeated)
    }

    pub(crate) fn validate(&self) -> Result<(), InvalidScript> {
        if self.steps().next().is_none() {
            return Err(InvalidScript::Empty);
        }
        self.steps().try_for_each(Step::validate)
    }

    pub(crate) fn next(&mut self) -> Step {
        while let Some((times, step)) = self.steps.front_mut() {
            if let Some(left) = times.checked_sub(1) {
                *times = left;
                return step.clone();
            }
            self.steps.pop_front();
        }
        let drawn = self.random.u32(..Ratio::percent(100).millionths());
        let selected = self.chances.iter().find(|(bound, _)| drawn < *bound).map(|(_, step)| step);
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
