use std::time::Duration;

use tower_layer::Layer;

use super::{
    Commit,
    settings::{MinRate, Settings},
};

/// A layer that applies [`Commit`]. See the [module docs](super) for its rules and an example.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing until it wraps a service"]
pub struct CommitLayer<J> {
    judge: J,
    settings: Settings,
}

impl<J> CommitLayer<J> {
    /// Creates a layer that holds a response until `judge` commits it: at most 64 events, 256 KiB
    /// and 60 s.
    pub fn new(judge: J) -> Self {
        Self { judge, settings: Settings::default() }
    }

    /// Sets the maximum number of held events. One more commits the response. Default: 64.
    pub const fn max_events(mut self, events: usize) -> Self {
        self.settings.max_events = events;
        self
    }

    /// Sets the maximum number of held bytes. More commit the response. Default: 256 KiB.
    ///
    /// The frame that exceeds the limit is held too. At most 256 frames are held, whatever their
    /// size.
    pub const fn max_bytes(mut self, bytes: usize) -> Self {
        self.settings.max_bytes = bytes;
        self
    }

    /// Sets the maximum time of a hold, from the first pause of the body. The response is then
    /// committed. Default: 60 s.
    ///
    /// The time limit of an attempt also ends the hold, and fails the attempt: see the
    /// [order](super#order). Zero judges only what has arrived with the head.
    pub const fn max_hold(mut self, time: Duration) -> Self {
        self.settings.max_hold = time;
        self
    }

    /// Sets the maximum time to the first byte of a body that the judge reads, from the first pause
    /// of the body. The call then fails with [`Elapsed`](crate::Elapsed). Default:
    /// [`Duration::MAX`], which is no limit.
    ///
    /// A limit above [`max_hold`](Self::max_hold) has no effect.
    pub const fn first_byte(mut self, limit: Duration) -> Self {
        self.settings.first_byte = limit;
        self
    }

    /// Fails an event stream that brings less than `bytes_per_second` in the `period` from its first
    /// content. Off by default.
    ///
    /// A stream with content is held until it has brought as many bytes as the whole period
    /// requires, or has ended. Each stream therefore begins later: a fast one by a part of the
    /// period. The other limits still commit it.
    pub const fn min_rate(mut self, bytes_per_second: u32, period: Duration) -> Self {
        self.settings.min_rate = Some(MinRate { bytes_per_second, period });
        self
    }
}

impl<S, J: Clone> Layer<S> for CommitLayer<J> {
    type Service = Commit<S, J>;

    fn layer(&self, inner: S) -> Self::Service {
        Commit { inner, judge: self.judge.clone(), settings: self.settings }
    }
}
