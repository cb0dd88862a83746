//! The probes of an upstream that is available again, and slow.

use std::{thread, time::Duration};

use crate::{
    exchange::{Connection, gateway, status},
    origin::{Origin, write},
};

/// Ends a test that would hang: the number of requests, one in 50 ms.
const MAX_REQUESTS: usize = 400;

#[test]
fn further_requests_are_admitted_when_probes_have_no_answer_yet() {
    let origin = Origin::answer(|request, stream| {
        if request.target().ends_with("/slow") {
            thread::sleep(Duration::from_secs(60));
        }
        write(stream, "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n");
    });
    let gateway = gateway(&origin);
    while status(&gateway, "GET /a/fail HTTP/1.1\r\nhost: h\r\n\r\n") != 503 {}
    let probes = || origin.received().iter().filter(|it| it.target().ends_with("/slow")).count();
    let mut open = Vec::new();
    // The circuit closes after five successes.
    while probes() < 12 {
        assert!(open.len() < MAX_REQUESTS, "{} probes", probes());
        let mut connection = Connection::open(&gateway);
        connection.send("GET /a/slow HTTP/1.1\r\nhost: h\r\n\r\n");
        open.push(connection);
        thread::sleep(Duration::from_millis(50));
    }
}
