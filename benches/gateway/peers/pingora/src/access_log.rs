//! The access log, with the fields of the gateway's log.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    time::{Duration, SystemTime},
};

use pingora_proxy::Session;

pub(crate) struct AccessLog(File);

impl AccessLog {
    pub(crate) fn open(path: &str) -> io::Result<Self> {
        OpenOptions::new().append(true).create(true).open(path).map(Self)
    }

    /// Writes a line without a buffer, as nginx does by default.
    pub(crate) fn write(&self, session: &Session, elapsed: Duration) {
        let request = session.req_header();
        let line = format!(
            "{} {} {} -> {} in {elapsed:?}\n",
            humantime::format_rfc3339_micros(SystemTime::now()),
            request.method,
            request.uri.path(),
            session.response_written().map_or(0, |response| response.status.as_u16()),
        );
        // A request does not fail because of the log.
        let _ = (&self.0).write_all(line.as_bytes());
    }
}
