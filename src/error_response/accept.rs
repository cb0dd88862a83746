//! Negotiation of the response format by `Accept` (RFC 9110 §12.5.1).

use mediatype::{MediaType, MediaTypeList, Name, ReadParams};

/// The format of an error response. Among formats of equal quality, the first one is selected.
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

    /// Returns the format with the highest quality. Malformed ranges are ignored.
    ///
    /// Returns a problem document if no format is acceptable, because a 406 would hide the failure.
    pub(super) fn negotiate(accept: &str) -> Self {
        let mut best = [(0, 0); FORMATS.len()];
        for range in MediaTypeList::new(accept).flatten() {
            let Some(quality) = quality(&range) else { continue };
            for (format, best) in FORMATS.into_iter().zip(&mut best) {
                // The most specific range determines the quality of a format.
                *best = (*best).max((format.specificity(&range), quality));
            }
        }
        FORMATS
            .into_iter()
            .zip(best)
            .filter(|&(_, (specificity, quality))| specificity > 0 && quality > 0)
            // `max_by_key` returns the last of equal elements.
            .rev()
            .max_by_key(|&(_, (_, quality))| quality)
            .map(|(format, _)| format)
            .unwrap_or_default()
    }

    /// Returns the specificity with which a range matches the format, or 0 if it does not match.
    ///
    /// `application/json` matches problem documents too.
    fn specificity(self, range: &MediaType<'_>) -> u8 {
        let (ty, names): (_, &[&str]) = match self {
            Self::ProblemJson => ("application", &["json", "problem+json"]),
            Self::Html => ("text", &["html"]),
            Self::Text => ("text", &["plain"]),
        };
        let matches = |name: Name<'_>, text: &str| name.as_str().eq_ignore_ascii_case(text);
        if matches(range.ty, "*") && matches(range.subty, "*") {
            return 1;
        }
        if !matches(range.ty, ty) {
            return 0;
        }
        if matches(range.subty, "*") && range.suffix.is_none() {
            return 2;
        }
        let index = names.iter().position(|name| match (name.split_once('+'), range.suffix) {
            (Some((name, suffix)), Some(range_suffix)) => {
                matches(range.subty, name) && matches(range_suffix, suffix)
            }
            (None, None) => matches(range.subty, name),
            _ => false,
        });
        index.map_or(0, |index| 3 + index as u8)
    }
}

/// Returns the quality of a range in thousandths.
///
/// Returns `None` if it is malformed, or if the range has a parameter that no format has, such as
/// `text/html;level=1`.
fn quality(range: &MediaType<'_>) -> Option<u16> {
    range.params().try_fold(1_000, |quality, (name, value)| match name.as_str() {
        "q" | "Q" => parse_qvalue(value.as_str()),
        name if name.eq_ignore_ascii_case("charset") => {
            value.unquoted_str().eq_ignore_ascii_case("utf-8").then_some(quality)
        }
        _ => None,
    })
}

/// Parses a quality value such as `0`, `0.5` or `1.000` to thousandths.
///
/// It is at most 1, with at most three decimals (RFC 9110 §12.4.2).
fn parse_qvalue(text: &str) -> Option<u16> {
    let (integer, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths = format!("{fraction:0<3}").parse().ok()?;
    match integer {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1_000),
        _ => None,
    }
}
