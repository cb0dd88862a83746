//! Circuits per key, and the maximum number of keys.

use super::*;

#[tokio::test(start_paused = true)]
async fn each_key_has_own_circuit() {
    let upstream = upstream(Step::status(502));
    let layer = opens_at_two().per_key(by_authority);
    let service = layer.layer(upstream.clone());
    for _ in 0..2 {
        service.clone().oneshot(get_from("http://a/")).await.unwrap();
    }
    let error = service.clone().oneshot(get_from("http://u:p@a/other")).await.unwrap_err();
    assert_eq!(circuit_open(&error).key(), Some("a"));
    assert!(service.clone().oneshot(get_from("http://b/")).await.is_ok());
    let handle = layer.handle();
    assert_eq!(handle.get("a").unwrap().state(), State::Open);
    assert_eq!(handle.get("b").unwrap().state(), State::Closed);
    assert!(handle.get("c").is_none());
    let mut keys: Vec<_> =
        handle.all().iter().map(|circuit| circuit.key().unwrap().to_owned()).collect();
    keys.sort();
    assert_eq!(keys, ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn breaker_passes_requests_without_key_uncounted() {
    let upstream = upstream(Step::status(502));
    let layer = opens_at_two().per_key(by_authority);
    for _ in 0..50 {
        layer.layer(upstream.clone()).oneshot(get_from("/x")).await.unwrap();
    }
    assert!(layer.handle().all().is_empty());
}

#[tokio::test(start_paused = true)]
async fn breaker_bounds_keys_and_passes_excess_keys() {
    let upstream = upstream(Step::status(502));
    let layer = opens_at_two().per_key(by_authority);
    let service = layer.layer(upstream.clone());
    for key in 0..100_000 {
        let request = get_from(&format!("http://h{key}/"));
        assert!(service.clone().oneshot(request).await.is_ok());
    }
    assert_eq!(layer.handle().all().len(), 4_096);
    // Keys without a failure in the window are evicted.
    advance(seconds(20)).await;
    service.clone().oneshot(get_from("http://new/")).await.unwrap();
    assert_eq!(layer.handle().all().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn overlong_key_has_no_circuit() {
    let layer = opens_at_two().per_key(by_authority);
    for length in [1_024, 1_025, 60_000] {
        for _ in 0..50 {
            let request = get_from(&format!("http://{}/", "h".repeat(length)));
            let _ = layer.layer(upstream(Step::status(502))).oneshot(request).await;
        }
    }
    let lengths: Vec<_> =
        layer.handle().all().iter().map(|circuit| circuit.key().unwrap().len()).collect();
    assert_eq!(lengths, [1_024]);
}

#[tokio::test(start_paused = true)]
async fn idle_services_do_not_prevent_key_eviction() {
    let upstream = upstream(Step::status(200));
    let layer = opens_at_two().per_key(by_authority);
    let mut services = Vec::new();
    for key in 0..4_096 {
        let mut service = layer.layer(upstream.clone());
        for _ in 0..3 {
            let request = get_from(&format!("http://h{key}/"));
            (&mut service).oneshot(request).await.unwrap();
        }
        services.push(service);
    }
    layer.layer(upstream.clone()).oneshot(get_from("http://new/")).await.unwrap();
    assert_eq!(layer.handle().all().len(), 1);
    // Their calls are counted in the circuit that the handle returns.
    upstream.set_script(Step::status(502)).unwrap();
    for _ in 0..3 {
        let request = get_from("http://h7/");
        let _ = (&mut services[7]).oneshot(request).await;
    }
    assert_eq!(layer.handle().get("h7").unwrap().state(), State::Open);
}

#[tokio::test(start_paused = true)]
async fn breaker_does_not_evict_open_circuit_for_another_key() {
    let upstream = upstream(Step::status(502));
    let layer = opens_at_two().per_key(by_authority);
    let service = layer.layer(upstream.clone());
    for _ in 0..2 {
        service.clone().oneshot(get_from("http://down/")).await.unwrap();
    }
    layer.handle().get("down").unwrap().force_open();
    upstream.set_script(Step::status(200)).unwrap();
    for round in 0..3 {
        for key in 0..5_000 {
            let request = get_from(&format!("http://h{round}-{key}/"));
            service.clone().oneshot(request).await.unwrap();
        }
        advance(seconds(60)).await;
    }
    assert_eq!(layer.handle().get("down").unwrap().state(), State::ForcedOpen);
    assert!(layer.handle().all().len() <= 4_096);
}

#[tokio::test(start_paused = true)]
async fn non_http_request_can_have_key() {
    let layer = opens_at_two()
        .classifier(seawall::classify::classify_fn(
            |outcome: Result<&(), &(dyn std::error::Error + 'static)>| {
                outcome.err().map(classify_error)
            },
        ))
        .per_request_key(|request: &String| Some(request.as_str().into()));
    let service = layer.layer(tower::service_fn(async |request: String| match &*request {
        "bad" => Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset)),
        _ => Ok(()),
    }));
    for _ in 0..2 {
        service.clone().oneshot("bad".into()).await.unwrap_err();
        service.clone().oneshot("good".into()).await.unwrap();
    }
    assert_eq!(layer.handle().get("bad").unwrap().state(), State::Open);
    assert_eq!(layer.handle().get("good").unwrap().state(), State::Closed);
}
