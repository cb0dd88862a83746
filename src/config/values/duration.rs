use std::{fmt, time::Duration};

use super::{ScalarValue, impl_scalar_deserialize};

/// A time of at least so many milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DurationValue<const MIN: u64 = 0>(pub(crate) Duration);

impl<const MIN: u64> ScalarValue for DurationValue<MIN> {
    fn expected(f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time with its unit such as \"250ms\" or \"10s\"")?;
        if MIN > 0 { write!(f, ", {MIN}ms or more") } else { Ok(()) }
    }

    fn from_text(text: &str) -> Option<Self> {
        // "0" alone is taken by it for no time; with a unit it is plain that it is one.
        let has_unit = text.bytes().any(|byte| byte.is_ascii_alphabetic());
        let time = humantime::parse_duration(text).ok().filter(|_| has_unit)?;
        (time >= Duration::from_millis(MIN)).then_some(Self(time))
    }

    #[cfg(feature = "config-schema")]
    fn schema() -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[0-9]", "examples": ["250ms", "10s"] })
    }
}

impl_scalar_deserialize!([const MIN: u64] DurationValue<MIN>);

/// As it is written in a file.
pub(crate) fn format_duration(time: Duration) -> String {
    humantime::format_duration(time).to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_is_a_time_or_none_and_what_is_written_is_read(
            text in any::<String>(), number in "[0-9.]{1,25}", unit in "(ns|us|ms|s|m|h|day|week|month|year|M|y)?",
            time in any::<Duration>(),
        ) {
            let _ = DurationValue::<0>::from_text(&text);
            let _ = DurationValue::<0>::from_text(&format!("{number}{unit} {number}{unit}"));
            if time.as_secs() < 1 << 40 {
                prop_assert_eq!(DurationValue::<0>::from_text(&format_duration(time)), Some(DurationValue(time)));
            }
        }
    }
}
