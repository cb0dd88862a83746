//! What is wrong with a file, in one line.

use std::{fmt, ops::Range, path::Path};

/// In characters.
const LONGEST: usize = 600;

/// Where, at which key, and what was expected.
#[derive(Debug)]
pub(crate) struct Fault(pub(super) String);

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Fault {
    pub(super) fn of_toml(path: &Path, text: &str, error: &toml::de::Error) -> Self {
        Self::at(path, text, error.span().unwrap_or_default(), error.message())
    }

    pub(super) fn at(path: &Path, text: &str, span: Range<usize>, what: &str) -> Self {
        let before = text.get(..span.start).unwrap_or_default();
        let line = before.lines().count().max(1)
            + usize::from(before.ends_with('\n') && !before.is_empty());
        // The key of a value, unless the value stands on lines of its own.
        let key = before.rsplit('\n').next().and_then(|line| line.split_once('='));
        let key = key.map(|(key, _)| format!("{}: ", key.trim())).unwrap_or_default();
        let what: Vec<_> = what.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        Self(format!(
            "{}:{line}: {}",
            path.display(),
            one_line(&format!("{key}{}", what.join(": ")))
        ))
    }
}

/// What stands in a file may be long, and may speak to a terminal.
fn one_line(text: &str) -> String {
    let mut line = String::new();
    for c in text.chars().take(LONGEST) {
        if c.is_control() {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, span: Range<usize>) -> String {
        Fault::at(Path::new("f"), text, span, "no\n  good").0
    }

    #[test]
    fn a_fault_names_line_and_key() {
        assert_eq!(of("", 0..0), "f:1: no: good");
        assert_eq!(of("a = 1", 0..1), "f:1: no: good");
        assert_eq!(of("a = 1", 4..5), "f:1: a: no: good");
        assert_eq!(of("x = 1\na = 1", 6..7), "f:2: no: good");
        assert_eq!(of("x = 1\n\na = 1", 11..12), "f:3: a: no: good");
        assert_eq!(of("a = 1", 99..100), "f:1: no: good");
        assert_eq!(of("\u{1b}[1m = 1", 7..8), "f:1: \\u{1b}[1m: no: good");
    }
}
