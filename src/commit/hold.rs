//! Holds a response until it is committed or has failed.

use std::{
    pin::{Pin, pin},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{HeaderMap, Response, response::Parts};
use http_body::{Body, Frame};
use seawall_core::{
    BoxError,
    elapsed::{Elapsed, TimeoutKind},
};
use tokio::{
    task::coop::unconstrained,
    time::{Instant, Sleep, sleep_until},
};

use super::{
    CommitBody, FailedBeforeCommit, Judge, Reading,
    body::FollowUp,
    ending::Ending,
    held::{End, Held, Replay},
    reader::Reader,
    settings::{MAX_FRAMES, MinRate, Settings},
};
use crate::headers::merge_grpc_status;

/// The result of the first poll of a body.
pub(super) type FirstFrame<B> = Option<Result<Frame<Bytes>, <B as Body>::Error>>;

/// A response that is held back.
pub(super) struct Hold<B: Body, J> {
    judge: J,
    head: Parts,
    body: B,
    /// The first frame, if it was read before the hold.
    first: Option<FirstFrame<B>>,
    reader: Reader,
    held: Held,
    /// The first pause of the body.
    since: Option<Instant>,
    probe: Option<Probe>,
    /// Created by the first pause.
    timer: Option<Pin<Box<Sleep>>>,
}

/// The measurement of a stream's rate, from its first content.
#[derive(Debug)]
struct Probe {
    start: Instant,
    /// The number of held bytes that is enough for the whole period.
    required: usize,
    min_rate: MinRate,
}

/// What happens when a limit of time has passed.
enum Expiry {
    Commit,
    NoFirstByte,
    TooSlow(u32),
}

impl<B, J> Hold<B, J>
where
    J: Judge,
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<BoxError>,
{
    pub(super) fn new(
        response: Response<B>,
        first: Option<FirstFrame<B>>,
        judge: J,
        reading: Reading,
        settings: Settings,
    ) -> Self {
        let (head, body) = response.into_parts();
        let reader = Reader::new(reading, settings);
        Self {
            judge,
            head,
            body,
            first,
            reader,
            held: Held::default(),
            since: None,
            probe: None,
            timer: None,
        }
    }

    /// Reads the body until the response is committed, or fails.
    pub(super) fn poll(
        &mut self,
        settings: Settings,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), BoxError>> {
        loop {
            let frame = match self.first.take() {
                Some(frame) => frame,
                // Some bodies must not be polled after their end.
                None if self.body.is_end_stream() => None,
                None => match Pin::new(&mut self.body).poll_frame(cx) {
                    Poll::Ready(frame) => frame,
                    Poll::Pending => return self.poll_expiry(settings, cx),
                },
            };
            let frame = match frame {
                Some(Ok(frame)) => frame,
                Some(Err(error)) => {
                    let error = FailedBeforeCommit::broke_off(error.into());
                    return Poll::Ready(Err(error.into()));
                }
                None => return Poll::Ready(self.end(None)),
            };
            match frame.into_data() {
                Ok(data) => {
                    if self.push(data, settings)? {
                        return Poll::Ready(Ok(()));
                    }
                }
                // Every other frame is the trailers.
                Err(frame) => {
                    return Poll::Ready(self.end(frame.into_trailers().ok()));
                }
            }
        }
    }

    /// Adds a frame. Returns whether to commit.
    fn push(&mut self, data: Bytes, settings: Settings) -> Result<bool, BoxError> {
        let commits = self.reader.judge_data(&data, &self.held, &self.judge, settings)?;
        self.held.push(data);
        if self.held.len() > settings.max_bytes || self.held.frames() >= MAX_FRAMES {
            return Ok(true);
        }
        match (settings.min_rate, &self.probe) {
            (None, _) => Ok(commits),
            (Some(_), Some(probe)) => Ok(self.held.len() >= probe.required),
            (Some(min_rate), None) => {
                if commits && matches!(self.reader, Reader::Events { .. }) {
                    let required = self.held.len().saturating_add(min_rate.required_bytes());
                    self.probe = Some(Probe { start: Instant::now(), required, min_rate });
                    return Ok(false);
                }
                Ok(commits)
            }
        }
    }

    /// Judges a body that has ended.
    fn end(&mut self, trailers: Option<HeaderMap>) -> Result<(), BoxError> {
        let has_content = self.probe.is_some();
        let trailers = match (&self.reader, trailers) {
            (Reader::Trailers, Some(trailers)) => {
                merge_grpc_status(trailers, &mut self.head.headers).err()
            }
            (_, trailers) => trailers,
        };
        if !has_content {
            self.reader.judge_end(&self.held, &self.judge)?;
        }
        self.held.end = trailers.map_or(End::Ended, End::Trailers);
        Ok(())
    }

    /// Completes when a limit of time has passed.
    fn poll_expiry(
        &mut self,
        settings: Settings,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), BoxError>> {
        if settings.max_hold.is_zero() || matches!(self.reader, Reader::Trailers) {
            return Poll::Ready(Ok(()));
        }
        let since = *self.since.get_or_insert_with(Instant::now);
        let Some((at, expiry)) = self.next_expiry(since, settings) else { return Poll::Pending };
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if timer.deadline() != at {
            timer.as_mut().reset(at);
        }
        // Unconstrained: a body that spends the coop budget on every poll would otherwise starve the
        // timer.
        ready!(pin!(unconstrained(timer.as_mut())).poll(cx));
        Poll::Ready(match expiry {
            Expiry::Commit => Ok(()),
            Expiry::NoFirstByte => {
                Err(Elapsed::new(settings.first_byte, TimeoutKind::FirstByte).into())
            }
            Expiry::TooSlow(rate) => Err(FailedBeforeCommit::too_slow(rate).into()),
        })
    }

    fn next_expiry(&self, since: Instant, settings: Settings) -> Option<(Instant, Expiry)> {
        let commit = since.checked_add(settings.max_hold).map(|at| (at, Expiry::Commit));
        let failure = match &self.probe {
            Some(Probe { start, min_rate, .. }) => start
                .checked_add(min_rate.period)
                .map(|at| (at, Expiry::TooSlow(min_rate.bytes_per_second))),
            None if self.held.len() == 0 => {
                since.checked_add(settings.first_byte).map(|at| (at, Expiry::NoFirstByte))
            }
            None => None,
        };
        [failure, commit].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    /// Returns the response with the complete body.
    pub(super) fn commit(self) -> Response<CommitBody<B>> {
        let Held { first, rest, end, .. } = self.held;
        let ending = matches!(self.reader, Reader::Events { .. }).then(|| {
            // An event after the last byte would exceed a length that the head has promised.
            let has_length = self.body.size_hint().exact().is_some();
            Ending::new(self.judge.error_event().filter(|_| !has_length))
        });
        let replay = Replay::new(rest, end);
        let follow_up =
            (ending.is_some() || !replay.is_empty()).then(|| Box::new(FollowUp { replay, ending }));
        Response::from_parts(self.head, CommitBody::new(self.body, first, follow_up))
    }
}
