//! Negotiation of the format by the request's `Accept` (RFC 9110 §12.5.1).

use mediatype::{MediaType, MediaTypeList, Name, ReadParams};

/// The format of a response. Among formats of equal quality, the first one is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Format {
    #[default]
    ProblemJson,
    Html,
    Text,
}

const FORMATS: [Format; 3] = [Format::ProblemJson, Format::Html, Format::Text];

impl Format {
    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::ProblemJson => "application/problem+json",
            Self::Html => "text/html; charset=utf-8",
            Self::Text => "text/plain; charset=utf-8",
        }
    }

    /// Returns the format with the highest quality. Malformed ranges are skipped.
    ///
    /// If no range fits, it is a problem document. A 406 would hide the failure.
    pub(super) fn negotiate(accept: &str) -> Self {
        let mut best = [(0, 0); FORMATS.len()];
        for range in MediaTypeList::new(accept).flatten() {
            let Some(quality) = quality(&range) else { continue };
            for (format, best) in FORMATS.into_iter().zip(&mut best) {
                // The most specific range determines the quality of a format.
                *best = (*best).max((format.specificity(&range), quality));
            }
        }
        let accepted = FORMATS.into_iter().zip(best).rev();
        let accepted =
            accepted.filter(|&(_, (specificity, quality))| specificity > 0 && quality > 0);
        accepted
            .max_by_key(|&(_, (_, quality))| quality)
            .map(|(format, _)| format)
            .unwrap_or_default()
    }

    /// Returns how specifically the range names the format; 0 if not at all. JSON includes problem documents.
    fn specificity(self, range: &MediaType<'_>) -> u8 {
        let (ty, names): (_, &[&str]) = match self {
            Self::ProblemJson => ("application", &["json", "problem+json"]),
            Self::Html => ("text", &["html"]),
            Self::Text => ("text", &["plain"]),
        };
        let is = |name: Name<'_>, text: &str| name.as_str().eq_ignore_ascii_case(text);
        if is(range.ty, "*") && is(range.subty, "*") {
            return 1;
        }
        if !is(range.ty, ty) {
            return 0;
        }
        if is(range.subty, "*") && range.suffix.is_none() {
            return 2;
        }
        let at = names.iter().position(|name| match (name.split_once('+'), range.suffix) {
            (Some((name, suffix)), Some(of)) => is(range.subty, name) && is(of, suffix),
            (None, None) => is(range.subty, name),
            _ => false,
        });
        at.map_or(0, |at| 3 + at as u8)
    }
}

/// Returns the quality in thousandths; `None` if it is malformed, or has a parameter of another format, such as
/// `text/html;level=1`.
fn quality(range: &MediaType<'_>) -> Option<u16> {
    range.params().try_fold(1_000, |quality, (name, value)| match name.as_str() {
        "q" | "Q" => qvalue(value.as_str()),
        name if name.eq_ignore_ascii_case("charset") => {
            value.unquoted_str().eq_ignore_ascii_case("utf-8").then_some(quality)
        }
        _ => None,
    })
}

/// Parses a quality: `0`, `0.5`, `1.000`, with at most three decimals, at most 1 (RFC 9110 §12.4.2).
fn qvalue(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths = format!("{fraction:0<3}").parse().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1_000),
        _ => None,
    }
}
