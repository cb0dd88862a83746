//! Which format an answer has, by the request's `Accept` (RFC 9110 §12.5.1).

use mediatype::{MediaType, MediaTypeList, Name, ReadParams};

/// Best first, among those that are wanted equally.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Format {
    #[default]
    Problem,
    Html,
    Plain,
}

const FORMATS: [Format; 3] = [Format::Problem, Format::Html, Format::Plain];

impl Format {
    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::Problem => "application/problem+json",
            Self::Html => "text/html; charset=utf-8",
            Self::Plain => "text/plain; charset=utf-8",
        }
    }

    /// The one that is wanted most. A malformed range is passed over; where none is left, or none fits, the answer is
    /// a problem document: it is an answer to a failure already, and a 406 would hide that.
    pub(super) fn wanted(accept: &str) -> Self {
        let mut best = [(0, 0); FORMATS.len()];
        for range in MediaTypeList::new(accept).flatten() {
            let Some(quality) = quality(&range) else { continue };
            for (format, best) in FORMATS.into_iter().zip(&mut best) {
                // The most specific range says how much a format is wanted, whatever the others say.
                *best = (*best).max((format.fits(&range), quality));
            }
        }
        let wanted = FORMATS.into_iter().zip(best).rev();
        let wanted = wanted.filter(|&(_, (fits, quality))| fits > 0 && quality > 0);
        wanted
            .max_by_key(|&(_, (_, quality))| quality)
            .map(|(format, _)| format)
            .unwrap_or_default()
    }

    /// How specifically the range names it; 0: not at all. Who takes JSON takes a problem document.
    fn fits(self, range: &MediaType<'_>) -> u8 {
        let (ty, names): (_, &[&str]) = match self {
            Self::Problem => ("application", &["json", "problem+json"]),
            Self::Html => ("text", &["html"]),
            Self::Plain => ("text", &["plain"]),
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

/// In thousandths. `None`: malformed, or a range for something else than we have, such as `text/html;level=1`.
fn quality(range: &MediaType<'_>) -> Option<u16> {
    range.params().try_fold(1_000, |quality, (name, value)| match name.as_str() {
        "q" | "Q" => qvalue(value.as_str()),
        name if name.eq_ignore_ascii_case("charset") => {
            value.unquoted_str().eq_ignore_ascii_case("utf-8").then_some(quality)
        }
        _ => None,
    })
}

/// RFC 9110 §12.4.2: `0`, `0.5`, `1.000`: at most three digits, at most 1.
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
