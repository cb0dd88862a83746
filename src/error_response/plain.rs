//! The answer as plain text.

use super::{answer::Answer, settings::Settings, words};

pub(super) fn plain(answer: &Answer, settings: &Settings, request_id: Option<&str>) -> String {
    let cause = answer.failure().cause();
    let mut text = format!(
        "{}\n\n{} {}\n{}\n\n{}; {cause}",
        words::title(answer.status()),
        words::headline(answer.status()),
        cause.description(),
        words::what_to_try(answer),
        settings.name(),
    );
    for (name, value) in [("request", request_id), ("error", answer.text())] {
        if let Some(value) = value {
            text.extend(["; ", name, " ", value]);
        }
    }
    text.push('\n');
    text
}
