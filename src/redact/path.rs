//! The paths that contain secrets.

use std::{ops::Range, sync::LazyLock};

use super::{
    Redaction,
    split::{Component, Part, for_each_part},
    truncate,
};

/// Templates of paths, as for `LoggingLayer::redact_paths`.
const SECRET_PATHS: &[&str] = &[
    // Telegram: https://core.telegram.org/bots/api#making-requests
    "/bot*:{token}",
    "/bot*%3A{token}",
    "/bot*%3a{token}",
    // Slack: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
    "/services/T*/B*/{token}",
    "/triggers/T*/*/{token}",
    "/workflows/T*/*/*/{token}",
    // Discord: https://docs.discord.com/developers/resources/webhook#execute-webhook
    "/api/webhooks/*/{token}",
    "/api/v*/webhooks/*/{token}",
    // Microsoft Teams:
    // https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook
    "/IncomingWebhook/{token}",
    "/IncomingWebhook/*/{token}",
];

/// The maximum number of bytes of a path that are searched. Outputs truncate paths earlier.
const MAX_BYTES: usize = 8 * 1024;

/// Templates, with an index of their first segments.
#[derive(Clone, Debug)]
pub(super) struct PathTemplates {
    templates: Vec<PathTemplate>,
    /// Whether any template may match a segment that starts with this byte. Most segments are
    /// rejected by it.
    first_bytes: [bool; 256],
    /// Whether a template starts with `*` or a secret, so it may match any segment.
    matches_any: bool,
}

impl Default for PathTemplates {
    fn default() -> Self {
        Self::new()
    }
}

impl PathTemplates {
    pub(super) const fn new() -> Self {
        Self { templates: Vec::new(), first_bytes: [false; 256], matches_any: false }
    }

    /// Adds a template. One without a secret has no effect.
    pub(super) fn add(&mut self, template: &str) {
        let template = PathTemplate::parse(template);
        let Some(first) = template.segments.first() else { return };
        match first.prefix.bytes().next() {
            Some(byte) => self.first_bytes[usize::from(byte)] = true,
            None => self.matches_any = true,
        }
        self.templates.push(template);
    }

    /// Adds the ranges of the secrets of templates that match `path` at the segment at `start`.
    fn add_secrets(&self, path: &str, start: usize, secrets: &mut Vec<Range<usize>>) {
        let byte = path.as_bytes().get(start);
        if self.matches_any || byte.is_some_and(|&byte| self.first_bytes[usize::from(byte)]) {
            for template in &self.templates {
                template.add_secrets(path, start, secrets);
            }
        }
    }
}

/// Segments of a path, some of which contain a secret. Empty if none does.
#[derive(Clone, Debug)]
struct PathTemplate {
    segments: Vec<SegmentTemplate>,
}

/// A segment: literal text, `*` for any text, and a `{secret}` at the end.
#[derive(Clone, Debug)]
struct SegmentTemplate {
    prefix: String,
    /// The text after a `*`.
    after_star: Option<String>,
    has_secret: bool,
}

impl PathTemplate {
    fn parse(template: &str) -> Self {
        let segments: Vec<_> =
            template.trim_matches('/').split('/').map(SegmentTemplate::parse).collect();
        let has_secret = segments.iter().any(|segment| segment.has_secret);
        Self { segments: if has_secret { segments } else { Vec::new() } }
    }

    /// Adds the ranges of the secrets, if the template matches `path` at the segment that starts at
    /// `start`.
    fn add_secrets(&self, path: &str, mut start: usize, secrets: &mut Vec<Range<usize>>) {
        let old_len = secrets.len();
        let mut found = path[start..].split('/');
        for template in &self.segments {
            let segment = found.next();
            let rest = segment.and_then(|segment| template.match_segment(segment));
            let (Some(segment), Some(rest)) = (segment, rest) else {
                secrets.truncate(old_len);
                return;
            };
            let end = start + segment.len();
            if template.has_secret {
                secrets.push(end - rest.len()..end);
            }
            start = end + 1;
        }
    }
}

impl SegmentTemplate {
    fn parse(segment: &str) -> Self {
        let (text, has_secret) = match segment.split_once('{') {
            Some((text, name)) => (text, name.ends_with('}')),
            None => (segment, false),
        };
        let (prefix, after_star) = match text.split_once('*') {
            Some((prefix, after)) => (prefix, Some(after.to_owned())),
            None => (text, None),
        };
        Self { prefix: prefix.to_owned(), after_star, has_secret }
    }

    /// Returns the rest of a segment that matches: the secret, if there is one.
    fn match_segment<'a>(&self, segment: &'a str) -> Option<&'a str> {
        let rest = segment.strip_prefix(&*self.prefix)?;
        let rest = match self.after_star.as_deref() {
            None => rest,
            Some("") if self.has_secret => rest,
            Some("") => "",
            Some(after) => &rest[rest.find(after)? + after.len()..],
        };
        // A secret has at least one character, and there is nothing else after a template.
        (rest.is_empty() != self.has_secret).then_some(rest)
    }
}

/// Splits a path into plain parts and secrets, and calls `visit` for each in order.
///
/// A template matches at any segment. Parameters such as `;jsessionid=…` are found by their keys. A
/// path is truncated at 8 KiB.
pub(crate) fn for_each_path_part<'a>(
    path: &'a str,
    redaction: &Redaction,
    visit: &mut dyn FnMut(Part<'a>),
) {
    let path = truncate(path, MAX_BYTES);
    let mut plain_start = 0;
    for secret in secrets(path, redaction) {
        // Two templates may match the same segment.
        if secret.start >= plain_start {
            for_each_part(&path[plain_start..secret.start], Component::Path, redaction, visit);
            visit(Part::Secret("path"));
            plain_start = secret.end;
        }
    }
    for_each_part(&path[plain_start..], Component::Path, redaction, visit);
}

/// Returns the ranges of the secrets that templates find, in order.
fn secrets(path: &str, redaction: &Redaction) -> Vec<Range<usize>> {
    static BUILT_IN: LazyLock<PathTemplates> = LazyLock::new(|| {
        let mut templates = PathTemplates::new();
        for path in SECRET_PATHS {
            templates.add(path);
        }
        templates
    });

    let mut secrets = Vec::new();
    let slashes = path.bytes().enumerate().filter(|&(_, byte)| byte == b'/');
    for start in std::iter::once(0).chain(slashes.map(|(slash, _)| slash + 1)) {
        BUILT_IN.add_secrets(path, start, &mut secrets);
        redaction.extra_paths.add_secrets(path, start, &mut secrets);
    }
    secrets.sort_by_key(|secret| (secret.start, secret.end));
    secrets
}
