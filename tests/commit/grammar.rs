//! The grammar of server-sent events (WHATWG HTML §9.2.6), by a judge that records the events.

use std::sync::{Arc, Mutex};

use http::HeaderMap;
use seawall::commit::{CommitLayer, Event, Judge, Reading, Verdict};

use crate::{
    grammar_cases::TABLE,
    support::{Step, data, outcome, read, stream},
};

#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Vec<(String, String)>>>);

impl Judge for Recorder {
    fn reading(&self, headers: &HeaderMap) -> Option<Reading> {
        Reading::by_content_type(headers)
    }

    fn judge_event(&self, event: &Event<'_>) -> Verdict {
        self.0.lock().unwrap().push((event.name().to_owned(), event.data().to_owned()));
        Verdict::Hold
    }
}

#[tokio::test(start_paused = true)]
async fn judge_sees_events_of_grammar_in_any_chunks() {
    assert_eq!(TABLE.len(), 54);
    for (name, bytes, expected) in TABLE {
        for chunk_len in [1, 2, 3, 4, bytes.len().max(1)] {
            let recorder = Recorder::default();
            let layer = CommitLayer::new(recorder.clone());
            let (mut call, feed) = stream(&layer, bytes.chunks(chunk_len).map(data));
            feed.push(Step::End);
            let response = outcome(&mut call).unwrap();
            let found = recorder.0.lock().unwrap().clone();
            let expected: Vec<_> =
                expected.iter().map(|(event, data, _)| ((*event).into(), (*data).into())).collect();
            assert_eq!(found, expected, "{name} by {chunk_len}");
            assert_eq!(read(response).await, *bytes, "{name} by {chunk_len}");
        }
    }
}
