use std::{str, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue};

/// A request header that carries the sender's timeout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TimeoutHeader {
    /// `grpc-timeout`: one to eight digits and a unit, `H`, `M`, `S`, `m`, `u` or `n` (gRPC over
    /// HTTP/2, "Requests").
    Grpc,
    /// `x-envoy-expected-rq-timeout-ms`: whole milliseconds. Zero means "no limit" to Envoy and is
    /// [counted](super::DeadlineLayer::invalid_headers) as invalid.
    EnvoyExpected,
}

/// The maximum value of `grpc-timeout`, in its unit: eight digits.
const MAX_GRPC_VALUE: u128 = 99_999_999;

/// The units of `grpc-timeout` in ascending order, with their nanoseconds.
const UNITS: [(u8, u64); 6] = [
    (b'n', 1),
    (b'u', 1_000),
    (b'm', 1_000_000),
    (b'S', 1_000_000_000),
    (b'M', 60_000_000_000),
    (b'H', 3_600_000_000_000),
];

/// The result of reading a timeout header.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Parsed {
    Missing,
    Time(Duration),
    Invalid,
}

impl TimeoutHeader {
    /// Returns the name of the header, in lower case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Grpc => "grpc-timeout",
            Self::EnvoyExpected => "x-envoy-expected-rq-timeout-ms",
        }
    }

    /// Parses a value of the header. Returns `None` if it is invalid.
    ///
    /// ```
    /// use std::time::Duration;
    /// use seawall::deadline::TimeoutHeader;
    ///
    /// assert_eq!(TimeoutHeader::Grpc.parse(b"250m"), Some(Duration::from_millis(250)));
    /// assert_eq!(TimeoutHeader::Grpc.parse(b"-1S"), None);
    /// ```
    #[must_use]
    pub fn parse(self, value: &[u8]) -> Option<Duration> {
        match self {
            Self::Grpc => {
                let (unit, digits) = value.split_last()?;
                let (_, nanos) = UNITS.iter().find(|(name, _)| name == unit)?;
                if digits.len() > 8 {
                    return None;
                }
                // At most 3.6e20 ns, which exceeds 64 bits.
                let nanos = u128::from(parse_digits(digits)?) * u128::from(*nanos);
                Some(duration_from_nanos(nanos))
            }
            Self::EnvoyExpected => {
                parse_digits(value).filter(|ms| *ms > 0).map(Duration::from_millis)
            }
        }
    }

    /// Formats a time as a value of the header, capped at the header's maximum.
    ///
    /// The time is rounded down, to at least one unit: zero has other meanings.
    #[must_use]
    pub fn value(self, time: Duration) -> HeaderValue {
        match self {
            Self::Grpc => {
                let nanos = time.as_nanos().max(1);
                let unit =
                    UNITS.iter().find(|(_, unit)| nanos / u128::from(*unit) <= MAX_GRPC_VALUE);
                let (name, count) = match unit {
                    Some((name, unit)) => (*name, nanos / u128::from(*unit)),
                    None => (b'H', MAX_GRPC_VALUE),
                };
                let text = format!("{count}{}", char::from(name));
                HeaderValue::try_from(text).expect("digits and a letter")
            }
            Self::EnvoyExpected => {
                let ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
                HeaderValue::from(ms.max(1))
            }
        }
    }

    pub(super) const fn name(self) -> HeaderName {
        HeaderName::from_static(self.as_str())
    }

    /// Reads the header of a request. A repeated header is invalid, because it is ambiguous.
    pub(super) fn read(self, headers: &HeaderMap) -> Parsed {
        let mut values = headers.get_all(self.as_str()).iter();
        match (values.next(), values.next()) {
            (None, _) => Parsed::Missing,
            (Some(value), None) => {
                self.parse(value.as_bytes()).map_or(Parsed::Invalid, Parsed::Time)
            }
            (Some(_), Some(_)) => Parsed::Invalid,
        }
    }
}

/// Parses digits only. `u64::from_str` would accept a sign.
fn parse_digits(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    str::from_utf8(digits).ok()?.parse().ok()
}

fn duration_from_nanos(nanos: u128) -> Duration {
    const SECOND: u128 = 1_000_000_000;
    Duration::new((nanos / SECOND) as u64, (nanos % SECOND) as u32)
}
