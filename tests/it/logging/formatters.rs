//! Output of the formatters in `tracing-subscriber`.

use std::{
    io,
    sync::{Arc, Mutex},
};

use tracing_subscriber::fmt::MakeWriter;

use super::*;

/// A writer that stores the written text.
#[derive(Clone, Default)]
pub(super) struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    pub(super) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Written {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

async fn log_failure() {
    let service = LoggingLayer::client().layer(Script::new([answer(502)]));
    drop(service.oneshot(get(URL)).await.unwrap().into_body().collect().await);
}

#[tokio::test(start_paused = true)]
async fn json_has_one_field_per_value() {
    let written = Written::default();
    let json = tracing_subscriber::fmt().json().with_writer(written.clone());
    let _guard = crate::log_capture::set_subscriber(json.finish());
    log_failure().await;
    let line: serde_json::Value = serde_json::from_str(&written.text()).unwrap();
    let fields = &line["fields"];
    assert_eq!(line["level"], "WARN");
    assert_eq!(line["target"], "seawall::logging");
    assert_eq!(fields["http.response.status_code"], 502);
    assert_eq!(fields["url.full"], URL_REDACTED);
    assert_eq!(fields["seawall.duration_ms"], 0.0);
}

#[tokio::test(start_paused = true)]
async fn pretty_and_compact_formats_have_same_fields() {
    for pretty in [true, false] {
        let written = Written::default();
        let fmt =
            tracing_subscriber::fmt().with_writer(written.clone()).without_time().with_ansi(false);
        let _guard = if pretty {
            crate::log_capture::set_subscriber(fmt.pretty().finish())
        } else {
            crate::log_capture::set_subscriber(fmt.compact().finish())
        };
        log_failure().await;
        let text = written.text();
        let message = "GET http://upstream:8080/a/b -> bad gateway (status 502; may have been processed) in 0.0ns";
        assert!(text.contains(message), "{text}");
        assert!(text.contains(URL_REDACTED), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn peer_input_cannot_imitate_another_field() {
    let written = Written::default();
    let fmt = tracing_subscriber::fmt().with_writer(written.clone()).with_ansi(false);
    let _guard = crate::log_capture::set_subscriber(fmt.finish());
    let mut request = get("/a");
    let spoof = "x\" seawall.outcome=complete";
    for name in ["x-request-id", "user-agent", "host"] {
        request.headers_mut().insert(name, http::HeaderValue::from_static(spoof));
    }
    let layer = LoggingLayer::server().log_user_agent(true);
    let error = Action::<Body>::Fail(spoof.into());
    layer.layer(Script::new([error])).oneshot(request).await.unwrap_err();
    let text = written.text();
    // The unquoted field occurs once.
    assert_eq!(
        text.matches(" seawall.outcome=").count(),
        text.matches("x\\\" seawall.outcome=").count() + 1
    );
    assert!(text.contains(" seawall.outcome=error"), "{text}");
}
