//! Any body through the look at it: what comes out is what went in.
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
use tokio::time::Instant;

/// Every frame, until the body ends or has nothing more to give.
async fn read<B>(body: B) -> Vec<Result<Option<Bytes>, &'static str>>
where
    B: Body<Data = Bytes, Error = &'static str>,
{
    let mut body = pin!(body);
    let mut read = Vec::new();
    loop {
        // As often as there may be a pause and then nothing.
        let next = (0..2).find_map(|_| body.frame().now_or_never());
        match next {
            Some(Some(frame)) => read.push(frame.map(|frame| frame.into_data().ok())),
            Some(None) | None => return read,
        }
    }
}

fuzz_target!(|input: (u16, u8, Vec<Step>)| {
    let (peek, wait, steps) = input;
    // A second pause would be taken for the end.
    let mut paused = false;
    let steps: Vec<_> = steps
        .into_iter()
        .filter(|step| {
            let twice = paused && matches!(step, Step::Pause);
            paused = matches!(step, Step::Pause);
            !twice
        })
        .collect();
    let body = Steps(steps.into());
    run(async {
        let expected = read(body.clone()).await;
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        let wait = Duration::from_millis(wait.into());
        let layer = BadGatewayClassifierLayer::new().max_peek_bytes(peek.into()).peek_timeout(wait);
        let start = Instant::now();
        let response = classify(layer, response).await;
        assert!(start.elapsed() <= wait + Duration::from_millis(1));
        assert_eq!(read(response.into_body()).await, expected);
    });
});
