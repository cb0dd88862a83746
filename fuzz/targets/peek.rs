//! Peeks into an arbitrary body. The caller must receive the frames of the original body.
#![no_main]

use std::{pin::pin, time::Duration};

use bytes::Bytes;
use futures_util::FutureExt;
use http::{Response, StatusCode};
use http_body::Body;
use http_body_util::BodyExt;
use libfuzzer_sys::fuzz_target;
use seawall::bad_gateway::BadGatewayClassifierLayer;
use seawall_fuzz::{Step, Steps, classify, run};
use tokio::time::{Instant, advance};

/// Returns the frames of a body until it ends or stalls.
async fn read_frames<B>(body: B) -> Vec<Result<Option<Bytes>, &'static str>>
where
    B: Body<Data = Bytes, Error = &'static str>,
{
    let mut body = pin!(body);
    let mut frames = Vec::new();
    loop {
        // The second poll gets the frame after a pause. The layer delays an error by 100 ms. If the
        // third poll is pending too, the body stalls.
        let mut next = (0..2).find_map(|_| body.frame().now_or_never());
        if next.is_none() {
            advance(Duration::from_millis(200)).await;
            next = body.frame().now_or_never();
        }
        match next {
            Some(Some(frame)) => frames.push(frame.map(|frame| frame.into_data().ok())),
            Some(None) | None => return frames,
        }
    }
}

fuzz_target!(|input: (u16, u8, Vec<Step>)| {
    let (peek, wait, steps) = input;
    // Removes repeated pauses, which `read_frames` would take for a stall.
    let mut after_pause = false;
    let steps: Vec<_> = steps
        .into_iter()
        .filter(|step| {
            let is_pause = matches!(step, Step::Pause);
            let is_repeated = after_pause && is_pause;
            after_pause = is_pause;
            !is_repeated
        })
        .collect();
    let body = Steps(steps.into());
    run(async {
        let expected = read_frames(body.clone()).await;
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        let wait = Duration::from_millis(wait.into());
        let layer = BadGatewayClassifierLayer::new().max_peek_bytes(peek.into()).peek_timeout(wait);
        let start = Instant::now();
        let response = classify(layer, response).await;
        assert!(start.elapsed() <= wait + Duration::from_millis(1));
        assert_eq!(read_frames(response.into_body()).await, expected);
    });
});
