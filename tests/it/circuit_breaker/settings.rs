//! What is set is heard, in whatever order it is set.

use super::*;

#[tokio::test(start_paused = true)]
async fn it_stays_open_no_longer_than_it_is_told_to() {
    let upstream = upstream(Step::status(502));
    let layer = quick().open_max(seconds(3));
    open(&layer, &upstream).await;
    for _ in 0..3 {
        let wait = layer.handle().snapshot().next_probe().unwrap();
        assert!(wait <= seconds(3), "{wait:?}");
        advance(wait).await;
        for _ in 0..3 {
            layer.layer(upstream.clone()).oneshot(get()).await.unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_has_no_more_say_than_it_is_given() {
    for (most, expected) in [(5, 5..=5), (0, 1..=2)] {
        let upstream = upstream(Step::status(503).header("retry-after", "20"));
        let layer = quick().retry_after_max(seconds(most));
        for _ in 0..2 {
            layer.layer(upstream.clone()).oneshot(get()).await.unwrap();
        }
        let wait = layer.handle().snapshot().next_probe().unwrap();
        assert!(
            (seconds(*expected.start())..=seconds(*expected.end())).contains(&wait),
            "{wait:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn out_of_shadow_it_rejects_again() {
    let layer = quick().shadow(true).shadow(false);
    layer.handle().force_open();
    assert!(layer.layer(upstream(Step::status(200))).oneshot(get()).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_name_and_other_settings_do_not_undo_each_other() {
    let before = CircuitBreakerLayer::new().named("billing").min_calls(2);
    let after = CircuitBreakerLayer::new().min_calls(2).named("billing");
    for layer in [before, after] {
        let upstream = upstream(Step::status(502));
        for _ in 0..2 {
            layer.layer(upstream.clone()).oneshot(get()).await.unwrap();
        }
        assert_eq!(layer.handle().key(), Some("billing"));
        assert_eq!(layer.handle().state(), State::Open);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_set_after_the_key_is_heard_like_what_is_set_before() {
    let after = CircuitBreakerLayer::new().keyed(by_authority).min_calls(2);
    let before = CircuitBreakerLayer::new().min_calls(2).keyed(by_authority);
    for layer in [after, before] {
        let upstream = upstream(Step::status(502));
        for _ in 0..2 {
            layer.layer(upstream.clone()).oneshot(get()).await.unwrap();
        }
        assert_eq!(layer.handle().get("upstream").unwrap().state(), State::Open);
    }
}
