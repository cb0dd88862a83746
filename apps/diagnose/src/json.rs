//! A report for a program: one object.
//!
//! | member | value |
//! |---|---|
//! | `schema` | 1; new members may come, these stay |
//! | `method`, `url` | what was asked for, secrets redacted |
//! | `embedded` | whether it was the embedded upstream |
//! | `healthy` | whether the exit status is 0 |
//! | `steps` | `stage` (`dns`, `tcp`, `tls`, `http`), `outcome` (`ok`, `warning`, `failed`), `ms`, `detail`, and `addresses` with the same members |
//! | `status` | of the response, or null |
//! | `headers` | those that tell who answered |
//! | `failure` | null, or `cause` (RFC 9209's words), `reporter` (`local`, `origin`, `unknown` or a product), `at` (`here`, `first_hop`, `gateway`, `origin`, `unknown`), `hop` (the same in words), `evidence` (`note`, `source`, `verified`; or null), `processed` (`no`, `unlikely`, `maybe`, `yes`), `retry_after_seconds`, `advice`, `checks` |
//! | `curl` | a command for a POSIX shell |
//! | `tries` | `total` and `failed`, a count for each cause in `causes` |

use serde_json::{Value, json};

use crate::{
    repeat::Tries,
    report::{Line, Report},
    words,
};

pub(crate) fn of(report: &Report, tries: &Tries) -> Value {
    let steps = report.steps.iter().map(|step| {
        let mut value = line("stage", step.stage.as_str(), &step.line);
        value["addresses"] =
            step.parts.iter().map(|(address, part)| line("address", address, part)).collect();
        value
    });
    let answer = report.answer.as_ref();
    let headers: serde_json::Map<_, _> = answer
        .iter()
        .flat_map(|answer| &answer.fields)
        .map(|(name, value)| ((*name).to_owned(), value.as_str().into()))
        .collect();
    let failure = report.failure.as_ref().map(|failure| {
        json!({
            "cause": failure.cause().as_str(),
            "reporter": failure.reporter().as_str(),
            "at": words::at(report, failure),
            "hop": words::hop(report, failure),
            "evidence": words::evidence(report).map(|evidence| json!({
                "note": evidence.summary(),
                "source": evidence.reference(),
                "verified": evidence.is_verified(),
            })),
            "processed": failure.processed().as_str(),
            "retry_after_seconds": failure.retry_after().map(|wait| wait.as_secs_f64()),
            "advice": failure.cause().advice(),
            "checks": failure.cause().checks(),
        })
    });
    json!({
        "schema": 1,
        "method": report.method.as_str(),
        "url": report.url,
        "embedded": report.embedded,
        "healthy": tries.failed() == 0,
        "steps": steps.collect::<Vec<_>>(),
        "status": answer.map(|answer| answer.status),
        "headers": headers,
        "failure": failure,
        "curl": report.curl,
        "tries": { "total": tries.total, "failed": tries.failed(), "causes": tries.causes },
    })
}

fn line(key: &str, name: &str, line: &Line) -> Value {
    json!({
        key: name,
        "outcome": line.outcome.as_str(),
        "ms": (line.time.as_secs_f64() * 1e6).round() / 1e3,
        "detail": line.detail,
    })
}
