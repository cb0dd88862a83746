//! A bounded buffer of log lines, which a thread writes.
//!
//! The writer of `tracing-appender` is not used. It bounds the number of lines, not their bytes, it
//! wakes its thread for each line, and it does not count the lines of a failed write. At the end it
//! prints to standard output if the log is blocked, which panics if that is closed.

use std::{
    io::{self, ErrorKind, Write},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use tracing_subscriber::fmt::MakeWriter;

/// The maximum number of bytes that wait. As many again are being written.
const MAX_PENDING_BYTES: usize = 1 << 20;

/// The capacity that the buffer keeps after a burst.
const KEPT_CAPACITY: usize = 64 << 10;

/// The minimum time between two writes, in which lines are collected.
///
/// So a busy gateway wakes the thread 20 times a second, not once for each line.
const WRITE_INTERVAL: Duration = Duration::from_millis(50);

/// The lines that wait for the thread. Lines above the maximum are dropped and counted.
///
/// # Clone
///
/// Clones share the buffer.
#[derive(Clone)]
pub(super) struct LogBuffer(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// Wakes the thread.
    filled: Condvar,
    /// Wakes [`LogBuffer::close`].
    written: Condvar,
}

#[derive(Default)]
struct State {
    pending: Vec<u8>,
    /// The number of lines that were dropped, or whose write failed.
    dropped: u64,
    /// Whether the thread waits for a line.
    is_idle: bool,
    is_writing: bool,
    is_closing: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LogBuffer {
    /// Starts the thread. `report` returns the line about a number of lost lines.
    ///
    /// # Errors
    /// Returns an error if the system cannot start a thread.
    pub(super) fn start(
        out: impl Write + Send + 'static,
        report: impl Fn(u64) -> String + Send + 'static,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let writer = Writer { out, report, is_mid_line: false, reported: 0 };
        let written = Arc::clone(&shared);
        thread::Builder::new().name("log".into()).spawn(move || writer.run(&written))?;
        Ok(Self(shared))
    }

    /// Appends whole lines, or drops them if the buffer is full.
    pub(super) fn append(&self, lines: &[u8]) {
        let mut state = self.0.lock();
        if state.pending.len() + lines.len() > MAX_PENDING_BYTES {
            state.dropped += count_lines(lines);
            return;
        }
        state.pending.extend_from_slice(lines);
        if std::mem::take(&mut state.is_idle) {
            drop(state);
            self.0.filled.notify_one();
        }
    }

    pub(super) fn dropped_lines(&self) -> u64 {
        self.0.lock().dropped
    }

    /// Waits until all lines are written, at most for `timeout`. Later lines are not written.
    pub(super) fn close(&self, timeout: Duration) {
        let mut state = self.0.lock();
        state.is_closing = true;
        self.0.filled.notify_one();
        let is_unwritten = |state: &mut State| state.is_writing || !state.pending.is_empty();
        // The result is dropped: after the timeout, the rest is lost.
        drop(self.0.written.wait_timeout_while(state, timeout, is_unwritten));
    }
}

impl<'a> MakeWriter<'a> for LogBuffer {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Appends one event per call, as `tracing-subscriber` writes it.
impl Write for LogBuffer {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.append(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The thread's part.
struct Writer<W, R> {
    out: W,
    report: R,
    /// Whether the last write ended within a line.
    is_mid_line: bool,
    /// The number of lost lines that were reported.
    reported: u64,
}

impl<W: Write, R: Fn(u64) -> String> Writer<W, R> {
    fn run(mut self, shared: &Shared) {
        let mut batch = Vec::new();
        loop {
            let mut state = shared.lock();
            while state.pending.is_empty() {
                if state.is_closing {
                    return;
                }
                state.is_idle = true;
                state = shared.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            state.is_idle = false;
            state.is_writing = true;
            std::mem::swap(&mut state.pending, &mut batch);
            let dropped = state.dropped;
            drop(state);
            let lost = self.write(&batch);
            if lost == 0 && dropped > self.reported {
                let line = (self.report)(dropped - self.reported);
                if self.write(line.as_bytes()) == 0 {
                    self.reported = dropped;
                }
            }
            batch.clear();
            batch.shrink_to(KEPT_CAPACITY);
            let mut state = shared.lock();
            state.dropped += lost;
            state.is_writing = false;
            shared.written.notify_all();
            let is_open = |state: &mut State| !state.is_closing;
            drop(shared.filled.wait_timeout_while(state, WRITE_INTERVAL, is_open));
        }
    }

    /// Writes lines. Returns the number of lines that could not be written.
    fn write(&mut self, lines: &[u8]) -> u64 {
        // Ends the line of which a failed write has written only a part.
        if self.is_mid_line && self.out.write_all(b"\n").is_ok() {
            self.is_mid_line = false;
        }
        let mut rest = lines;
        while !rest.is_empty() {
            match self.out.write(rest) {
                Ok(0) => break,
                Ok(written) => {
                    self.is_mid_line = rest[written - 1] != b'\n';
                    rest = &rest[written..];
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        count_lines(rest)
    }
}

fn count_lines(lines: &[u8]) -> u64 {
    lines.split(|byte| *byte == b'\n').count() as u64 - 1
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Receives each write, and returns its result.
    struct Pipe {
        writes: mpsc::Sender<String>,
        results: mpsc::Receiver<io::Result<usize>>,
    }

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.writes.send(String::from_utf8_lossy(bytes).into_owned()).unwrap();
            self.results.recv().unwrap_or_else(|_| Err(ErrorKind::BrokenPipe.into()))
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn start() -> (LogBuffer, mpsc::Receiver<String>, mpsc::Sender<io::Result<usize>>) {
        let ((writes, written), (result, results)) = (mpsc::channel(), mpsc::channel());
        let report = |dropped| format!("{dropped} lost\n");
        (LogBuffer::start(Pipe { writes, results }, report).unwrap(), written, result)
    }

    #[test]
    fn lines_above_maximum_are_dropped_and_reported_when_reader_is_blocked() {
        let (buffer, written, result) = start();
        buffer.append(b"first\n");
        assert_eq!(written.recv().unwrap(), "first\n");
        let line = [&[b'x'; 1023][..], b"\n"].concat();
        for _ in 0..2_000 {
            buffer.append(&line);
        }
        assert_eq!(buffer.0.lock().pending.len(), MAX_PENDING_BYTES);
        assert_eq!(buffer.dropped_lines(), 2_000 - 1_024);
        result.send(Ok(6)).unwrap();
        assert_eq!(written.recv().unwrap().len(), MAX_PENDING_BYTES);
        result.send(Ok(MAX_PENDING_BYTES)).unwrap();
        assert_eq!(written.recv().unwrap(), "976 lost\n");
    }

    #[test]
    fn lines_of_failed_write_are_counted_and_next_write_starts_a_line() {
        let (buffer, written, result) = start();
        buffer.append(b"one\ntwo\n");
        written.recv().unwrap();
        result.send(Ok(2)).unwrap();
        assert_eq!(written.recv().unwrap(), "e\ntwo\n");
        result.send(Err(ErrorKind::StorageFull.into())).unwrap();
        while buffer.dropped_lines() == 0 {
            thread::yield_now();
        }
        assert_eq!(buffer.dropped_lines(), 2);
        buffer.append(b"three\n");
        for expected in ["\n", "three\n", "2 lost\n"] {
            assert_eq!(written.recv().unwrap(), expected);
            result.send(Ok(expected.len())).unwrap();
        }
    }

    #[test]
    fn close_writes_the_rest_and_does_not_wait_for_blocked_reader() {
        let (buffer, written, result) = start();
        buffer.append(b"first\n");
        written.recv().unwrap();
        buffer.append(b"second\n");
        buffer.close(Duration::from_millis(1));
        result.send(Ok(6)).unwrap();
        assert_eq!(written.recv().unwrap(), "second\n");
        result.send(Ok(7)).unwrap();
        buffer.close(Duration::from_secs(60));
        assert!(buffer.0.lock().pending.is_empty());
    }
}
