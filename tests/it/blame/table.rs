//! The first two tables in `docs/blame.md`, one case per row.

use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use seawall::{Blame, Cause, Failure, Reporter};

use super::{Body, documented, failing, reaction_to, yes_or_no};

#[tokio::test(start_paused = true)]
async fn each_cause_has_documented_reaction() {
    for &cause in Cause::ALL {
        let failure = Failure::new(cause).with_reporter(Reporter::Local);
        let reaction = reaction_to(&failing(move || async move { Err(failure.into()) })).await;
        let row = format!(
            "{} | {} | {} | {} | {} |",
            failure.blame(),
            reaction.status,
            yes_or_no(reaction.counts),
            yes_or_no(reaction.is_retried),
            reaction.level,
        );
        assert_eq!(row, documented(&format!("`{cause}`")), "{cause}");
        // Except for an error of the origin, which has a setting of its own.
        let is_upstream = matches!(failure.blame(), Blame::Upstream | Blame::Network);
        assert!(cause == Cause::OriginError || reaction.counts == is_upstream, "{cause}");
    }
}

fn response(status: u16, headers: &[(&str, &str)], body: &'static str) -> Response<Body> {
    let mut response = Response::builder().status(status).header("date", "today");
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(Full::from(Bytes::from(body))).unwrap()
}

async fn check_response(cell: &str, make: impl Fn() -> Response<Body> + Clone + 'static) {
    let status = make().status();
    let fail = failing(move || {
        let response = make();
        async move { Ok(response) }
    });
    let reaction = reaction_to(&fail).await;
    assert_eq!(reaction.status, status.as_u16());
    let row = format!("{} | {} |", yes_or_no(reaction.counts), yes_or_no(reaction.is_retried));
    assert_eq!(row, documented(cell), "{status}");
}

#[tokio::test(start_paused = true)]
async fn each_status_has_documented_reaction() {
    for (cell, statuses) in [
        ("400 to 407, 409 to 428, 430 to 499", &[400, 404, 407, 409, 428, 430, 499][..]),
        ("408", &[408]),
        ("429", &[429]),
        ("500", &[500]),
        ("502, 503, 504", &[502, 503, 504]),
        ("520 to 530", &[520, 522, 530]),
    ] {
        for &status in statuses {
            check_response(cell, move || response(status, &[], "failed")).await;
        }
    }
}

/// The bodies are shortened from recordings of `LiteLLM` 1.108.7 and Portkey 1.15.2.
#[tokio::test(start_paused = true)]
async fn time_limit_of_gateway_counts_when_it_answers_408() {
    let cell = "408 of a gateway that reports its own time limit";
    check_response(cell, || {
        let body = r#"{"error":{"message":"litellm.Timeout: APITimeoutError - Request timed out.","code":"408"}}"#;
        response(408, &[("x-litellm-call-id", "1"), ("content-type", "application/json")], body)
    })
    .await;
    check_response(cell, || {
        let body = r#"{"error":{"message":"Request exceeded the timeout sent in the request: 2000ms","type":"timeout_error"}}"#;
        response(408, &[("x-portkey-trace-id", "1"), ("content-type", "application/json")], body)
    })
    .await;
    check_response(cell, || {
        response(408, &[("proxy-status", "cdn; error=http_response_timeout")], "late")
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn internal_error_counts_when_gateway_generated_it() {
    for (headers, counts) in [(&[][..], false), (&[("proxy-status", "cdn; error=dns_error")], true)]
    {
        let fail = failing(move || async move { Ok(response(500, headers, "failed")) });
        assert_eq!(reaction_to(&fail).await.counts, counts, "{headers:?}");
    }
}
