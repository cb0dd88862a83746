//! Presents the frames of a held body to the judge.

use bytes::Bytes;
use seawall_core::BoxError;

use super::{
    Event, FailedBeforeCommit, Judge, Reading, Verdict,
    events::{EventDecoder, EventTooLarge},
    held::Held,
    settings::Settings,
};

/// The state in which a body is read.
#[derive(Debug)]
pub(super) enum Reader {
    Events {
        decoder: Box<EventDecoder>,
        /// The number of events that were judged.
        count: usize,
    },
    /// The bytes so far, if they are in several frames.
    Bytes(Vec<u8>),
    FirstByte,
    Trailers,
}

impl Reader {
    pub(super) fn new(reading: Reading, settings: Settings) -> Self {
        match reading {
            Reading::Events => {
                Self::Events { decoder: Box::new(EventDecoder::new(settings.max_bytes)), count: 0 }
            }
            Reading::Bytes => Self::Bytes(Vec::new()),
            Reading::FirstByte => Self::FirstByte,
            Reading::Trailers => Self::Trailers,
        }
    }

    /// Judges a frame, before it is added to `held`. Returns whether to commit.
    pub(super) fn judge_data(
        &mut self,
        data: &Bytes,
        held: &Held,
        judge: &impl Judge,
        settings: Settings,
    ) -> Result<bool, BoxError> {
        match self {
            Self::Events { decoder, count } => {
                let mut bytes = &data[..];
                loop {
                    let event = match decoder.next(&mut bytes) {
                        Ok(Some(event)) => event,
                        Ok(None) => return Ok(false),
                        Err(EventTooLarge) => return Ok(true),
                    };
                    *count += 1;
                    match judge.judge_event(&Event { name: &event.event, data: &event.data }) {
                        Verdict::Hold if *count <= settings.max_events => {}
                        Verdict::Hold | Verdict::Commit => return Ok(true),
                        Verdict::Fail(failure) => {
                            return Err(FailedBeforeCommit::reported(failure, event.data).into());
                        }
                    }
                }
            }
            Self::Bytes(joined) => {
                let bytes = match &held.first {
                    None => &data[..],
                    Some(first) => {
                        if joined.is_empty() {
                            joined.extend_from_slice(first);
                        }
                        joined.extend_from_slice(data);
                        joined
                    }
                };
                judge_bytes(judge, bytes, false)
            }
            Self::FirstByte => Ok(!data.is_empty()),
            Self::Trailers => Ok(true),
        }
    }

    /// Judges the end of a body.
    pub(super) fn judge_end(&self, held: &Held, judge: &impl Judge) -> Result<(), BoxError> {
        match self {
            Self::Events { .. } => match judge.judge_end() {
                Verdict::Fail(failure) => Err(FailedBeforeCommit::ended(failure).into()),
                Verdict::Hold | Verdict::Commit => Ok(()),
            },
            Self::Bytes(joined) => {
                let bytes = match &held.first {
                    Some(first) if joined.is_empty() => &first[..],
                    _ => joined,
                };
                judge_bytes(judge, bytes, true).map(drop)
            }
            Self::FirstByte | Self::Trailers => Ok(()),
        }
    }
}

fn judge_bytes(judge: &impl Judge, bytes: &[u8], is_complete: bool) -> Result<bool, BoxError> {
    match judge.judge_bytes(bytes, is_complete) {
        Verdict::Hold => Ok(false),
        Verdict::Commit => Ok(true),
        Verdict::Fail(failure) => {
            let text = String::from_utf8_lossy(bytes).into_owned();
            Err(FailedBeforeCommit::reported(failure, text).into())
        }
    }
}
