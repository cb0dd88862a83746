use std::{fmt, time::Duration};

use super::{ConfigValue, impl_scalar_deserialize};

/// A duration of at least `MIN` milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DurationValue<const MIN: u64 = 0>(pub(crate) Duration);

impl<const MIN: u64> ConfigValue for DurationValue<MIN> {
    fn expected(f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration with a unit such as \"250ms\" or \"10s\"")?;
        if MIN > 0 { write!(f, ", {MIN}ms or more") } else { Ok(()) }
    }

    fn from_text(text: &str) -> Option<Self> {
        // `humantime` accepts "0" without a unit.
        let has_unit = text.bytes().any(|byte| byte.is_ascii_alphabetic());
        let duration = humantime::parse_duration(text).ok().filter(|_| has_unit)?;
        (duration >= Duration::from_millis(MIN)).then_some(Self(duration))
    }

    #[cfg(feature = "config-schema")]
    fn schema() -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^[0-9]",
            "examples": ["250ms", "10s"],
        })
    }
}

impl_scalar_deserialize!([const MIN: u64] DurationValue<MIN>);

/// Formats a duration as a file would contain it.
pub(crate) fn format_duration(duration: Duration) -> String {
    humantime::format_duration(duration).to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn parser_accepts_formatted_durations_and_never_panics(
            text in any::<String>(),
            number in "[0-9.]{1,25}",
            unit in "(ns|us|ms|s|m|h|day|week|month|year|M|y)?",
            duration in any::<Duration>(),
        ) {
            let _ = DurationValue::<0>::from_text(&text);
            let _ = DurationValue::<0>::from_text(&format!("{number}{unit} {number}{unit}"));
            if duration.as_secs() < 1 << 40 {
                let formatted = format_duration(duration);
                let parsed = DurationValue::<0>::from_text(&formatted);
                prop_assert_eq!(parsed, Some(DurationValue(duration)));
            }
        }
    }
}
