//! The report as one JSON object for programs.
//!
//! | member | value |
//! |---|---|
//! | `schema` | 1; later versions only add members |
//! | `method`, `url` | the request, without secrets |
//! | `embedded` | whether the upstream is the built-in one |
//! | `healthy` | whether the exit status is 0 |
//! | `steps` | `stage` (`dns`, `tcp`, `tls`, `http`), `outcome` (`ok`, `warning`, `failed`), `ms`, `detail`, and `addresses` with the same members |
//! | `status` | the status of the response, or null |
//! | `headers` | the response headers that identify the server |
//! | `failure` | null, or `cause` (a name of RFC 9209), `reporter` (`local`, `origin`, `unknown` or a product), `location` (`client`, `first_hop`, `gateway`, `origin`, `unknown`), `hop` (the location in words), `evidence` (null, or `note`, `source`, `verified`), `processed` (`no`, `unlikely`, `maybe`, `yes`), `retry_after_seconds`, `protocol` (null, or the protocol that the server speaks instead), `connection_end` (null, `closed` or `reset`), `advice`, `checks` |
//! | `curl` | a command for a POSIX shell |
//! | `runs` | `total`, `failed`, and in `causes` a count for each cause |

use serde_json::{Value, json};

use crate::{
    explain,
    protocol::Protocol,
    repeat::RunCounts,
    report::{Check, Report},
    wire::End,
};

pub(crate) fn render(report: &Report, runs: &RunCounts) -> Value {
    let steps = report.steps.iter().map(|step| {
        let mut value = check_json("stage", step.stage.as_str(), &step.check);
        value["addresses"] = step
            .addresses
            .iter()
            .map(|(address, check)| check_json("address", address, check))
            .collect();
        value
    });
    let response = report.response.as_ref();
    let headers: serde_json::Map<_, _> = response
        .iter()
        .flat_map(|response| &response.headers)
        .map(|(name, value)| ((*name).to_owned(), value.as_str().into()))
        .collect();
    let failure = report.failure.as_ref().map(|failure| {
        let (advice, checks) = explain::next_steps(report, failure);
        json!({
            "cause": failure.cause().as_str(),
            "reporter": failure.reporter().as_str(),
            "location": explain::location(report, failure),
            "hop": explain::hop(report, failure),
            "evidence": report.evidence().map(|evidence| json!({
                "note": evidence.summary(),
                "source": evidence.reference(),
                "verified": evidence.is_verified(),
            })),
            "processed": failure.processed().as_str(),
            "retry_after_seconds": failure.retry_after().map(|wait| wait.as_secs_f64()),
            "protocol": report.peer.protocol.map(Protocol::name),
            "connection_end": report.peer.end.map(End::as_str),
            "advice": advice,
            "checks": checks,
        })
    });
    json!({
        "schema": 1,
        "method": report.method.as_str(),
        "url": report.url,
        "embedded": report.embedded,
        "healthy": runs.failed() == 0,
        "steps": steps.collect::<Vec<_>>(),
        "status": response.map(|response| response.status),
        "headers": headers,
        "failure": failure,
        "curl": report.curl,
        "runs": { "total": runs.total, "failed": runs.failed(), "causes": runs.causes },
    })
}

fn check_json(key: &str, name: &str, check: &Check) -> Value {
    json!({
        key: name,
        "outcome": check.outcome.as_str(),
        "ms": (check.duration.as_secs_f64() * 1e6).round() / 1e3,
        "detail": check.detail,
    })
}
