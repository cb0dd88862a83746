use std::collections::VecDeque;

use fastrand::Rng;
use seawall_core::ratio::Ratio;

use super::{InvalidScript, Step};

/// What an upstream does with one request after the other, in the order in which they arrive.
///
/// First come the steps of [`then`](Self::then) and [`times`](Self::times), one a request; after them what
/// [`then_repeat`](Self::then_repeat) or [`random`](Self::random) says. Without either the script ends: requests that come after
/// it are answered 501, which nobody retries, with a body that says so.
///
/// One [`Step`] is a script too, forever; an array of them, or what an iterator yields, is one that ends.
///
/// ```
/// use seawall::{Ratio, test_util::{Script, Step}};
///
/// let mends_itself = Script::new().then(Step::status(502)).then(Step::reset()).then_repeat(Step::ok("hello"));
/// // The same for the same seed.
/// let flaky = Script::random(7, [(Ratio::percent(20), Step::status(502))], Step::ok("hello"))?;
/// # let _ = (mends_itself, flaky);
/// # Ok::<(), seawall::test_util::InvalidScript>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "a script does nothing until an upstream follows it"]
pub struct Script {
    /// Each with how often it is still taken.
    steps: VecDeque<(u64, Step)>,
    random: Rng,
    /// A step is taken by a number below its bound and not below that of the one before it.
    chances: Vec<(u32, Step)>,
    /// `None`: the script ends.
    otherwise: Option<Step>,
}

impl Script {
    /// Makes a script without a step, which no upstream takes as it is.
    pub fn new() -> Self {
        Self {
            steps: VecDeque::new(),
            random: Rng::with_seed(0),
            chances: Vec::new(),
            otherwise: None,
        }
    }

    /// Adds a step for one request.
    pub fn then(self, step: Step) -> Self {
        self.times(1, step)
    }

    /// Adds a step for so many requests.
    pub fn times(mut self, times: u64, step: Step) -> Self {
        self.steps.push_back((times, step));
        self
    }

    /// Sets what is done with all requests after the steps. Replaces what was set before.
    pub fn then_repeat(self, step: Step) -> Self {
        Self { chances: Vec::new(), otherwise: Some(step), ..self }
    }

    /// Makes a script that chooses a step for each request: each with its chance, or else `otherwise`. The n-th request
    /// takes the same one whenever the seed is the same. Steps that are added come before.
    ///
    /// # Errors
    /// [`InvalidScript::NoChances`] if there is none, [`InvalidScript::MoreThanOne`] if they sum up to more than one.
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
            return Err(InvalidScript::NoChances);
        }
        if sum > Ratio::percent(100).millionths() {
            return Err(InvalidScript::MoreThanOne);
        }
        Ok(script)
    }

    /// Every step that may be taken.
    pub(super) fn all(&self) -> impl Iterator<Item = &Step> {
        let steps = self.steps.iter().filter(|(times, _)| *times > 0).map(|(_, step)| step);
        steps.chain(self.chances.iter().map(|(_, step)| step)).chain(&self.otherwise)
    }

    pub(super) fn check(&self) -> Result<(), InvalidScript> {
        if self.all().next().is_none() {
            return Err(InvalidScript::Empty);
        }
        self.all().try_for_each(Step::check)
    }

    pub(super) fn next(&mut self) -> Step {
        while let Some((times, step)) = self.steps.front_mut() {
            if let Some(left) = times.checked_sub(1) {
                *times = left;
                return step.clone();
            }
            self.steps.pop_front();
        }
        let drawn = self.random.u32(..Ratio::percent(100).millionths());
        let taken = self.chances.iter().find(|(bound, _)| drawn < *bound).map(|(_, step)| step);
        taken
            .or(self.otherwise.as_ref())
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
