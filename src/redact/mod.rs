//! Hides secrets in queries, in paths and in free text, for every output: logs, error responses and
//! the errors of a configuration.
//!
//! `keys.rs` has the list of keys, and `path.rs` that of paths. `LoggingLayer::redact` and
//! `LoggingLayer::redact_paths` document both.

mod decode;
mod keys;
mod path;
mod split;
mod text;

use std::fmt;

use self::path::PathTemplates;
pub(crate) use self::{
    path::for_each_path_part,
    split::{Part, for_each_query_part},
    text::redact_text,
};

/// The replacement for a secret.
pub(crate) const REDACTED: &str = "REDACTED";

/// The secrets that a user adds to the built-in lists.
#[derive(Clone, Debug, Default)]
pub(crate) struct Redaction {
    extra_keys: Vec<String>,
    extra_paths: PathTemplates,
}

impl Redaction {
    /// Without additions of a user.
    pub(crate) const fn built_in() -> Self {
        Self { extra_keys: Vec::new(), extra_paths: PathTemplates::new() }
    }

    /// Adds a path. A template without a secret has no effect.
    pub(crate) fn add_path(&mut self, template: &str) {
        self.extra_paths.add(template);
    }
}

/// A query with [`REDACTED`] in place of its secrets.
#[derive(Debug)]
pub(crate) struct RedactedQuery<'a>(pub(crate) &'a str, pub(crate) &'a Redaction);

impl fmt::Display for RedactedQuery<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_parts(f, |visit| for_each_query_part(self.0, self.1, visit))
    }
}

/// A path with [`REDACTED`] in place of its secrets.
#[derive(Debug)]
pub(crate) struct RedactedPath<'a>(pub(crate) &'a str, pub(crate) &'a Redaction);

impl fmt::Display for RedactedPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_parts(f, |visit| for_each_path_part(self.0, self.1, visit))
    }
}

/// Returns at most the first `max` bytes of a text, up to the end of a character.
fn truncate(text: &str, max: usize) -> &str {
    let mut end = text.len().min(max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn write_parts<'a>(
    f: &mut fmt::Formatter<'_>,
    for_each: impl FnOnce(&mut dyn FnMut(Part<'a>)),
) -> fmt::Result {
    let mut result = Ok(());
    for_each(&mut |part| {
        let text = match part {
            Part::Plain(text) => text,
            Part::Secret(_) => REDACTED,
        };
        result = result.and_then(|()| f.write_str(text));
    });
    result
}
