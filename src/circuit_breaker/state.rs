/// The state of a circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum State {
    /// All calls pass, and their results are counted.
    Closed,
    /// No call passes.
    Open,
    /// A few calls pass as probes, to find out whether the upstream has recovered.
    HalfOpen,
    /// No call passes, until [`release`](super::Circuit::release).
    ForcedOpen,
    /// All calls pass whatever their results, until [`release`](super::Circuit::release).
    ForcedClosed,
}

impl State {
    /// Returns the name used in logs and metrics, such as `half_open`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
            Self::ForcedOpen => "forced_open",
            Self::ForcedClosed => "forced_closed",
        }
    }
}
