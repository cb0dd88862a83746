//! Forced states and dry run.

use super::*;

#[tokio::test(start_paused = true)]
async fn forced_state_persists_until_release() {
    let upstream = upstream(Step::status(200));
    let layer = opens_at_two();
    let (service, handle) = (layer.layer(upstream.clone()), layer.handle());
    handle.force_open();
    advance(seconds(3_600)).await;
    let error = service.clone().oneshot(get()).await.unwrap_err();
    let rejection = circuit_open(&error);
    assert_eq!((rejection.opened_by(), rejection.retry_after()), (None, None));
    assert_eq!(rejection.time_open(), seconds(3_600));
    assert_eq!(error.to_string(), "circuit open, forced");
    handle.release();
    assert!(service.clone().oneshot(get()).await.is_ok());

    handle.force_closed();
    upstream.set_script(Step::status(502)).unwrap();
    for _ in 0..50 {
        service.clone().oneshot(get()).await.unwrap();
    }
    assert_eq!(handle.state(), State::ForcedClosed);
    handle.release();
    let snapshot = handle.snapshot();
    assert_eq!((snapshot.state(), snapshot.calls()), (State::Closed, 0));
    handle.release();
    assert_eq!(handle.state(), State::Closed);
}

#[tokio::test(start_paused = true)]
async fn dry_run_counts_and_reports_but_admits_all_calls() {
    let upstream = upstream(Step::status(502));
    let layer = opens_at_two().dry_run(true);
    let (recorder, _guard) = Recorder::start(LevelFilter::WARN);
    for _ in 0..50 {
        assert!(layer.layer(upstream.clone()).oneshot(get()).await.is_ok());
    }
    assert_eq!((layer.handle().state(), upstream.requests()), (State::Open, 50));
    assert_eq!(layer.handle().snapshot().rejected(), 48);
    assert_eq!(recorder.events()[0].get("dry_run"), Some("true"));
}
