//! `google.rpc.RetryInfo`, the wait that Google's APIs and OTLP receivers request.

use std::time::Duration;

use http::HeaderMap;

/// A longer value is ignored. The details of an error are far smaller.
const MAX_LEN: usize = 16 * 1024;

/// Parses the longest `retry_delay` of the `google.rpc.RetryInfo` messages in
/// `grpc-status-details-bin`.
///
/// The value is a `google.rpc.Status` in base64, with or without padding (gRPC's PROTOCOL-HTTP2.md,
/// "Custom-Metadata"). Field numbers are those of `google/rpc/status.proto` and
/// `error_details.proto`, and of protobuf's `any.proto` and `duration.proto`.
pub(super) fn retry_info(headers: &HeaderMap) -> Option<Duration> {
    let values = headers.get_all("grpc-status-details-bin").iter();
    let values = values.flat_map(|value| value.as_bytes().split(|&byte| byte == b','));
    let statuses = values.filter_map(|value| decode_base64(value.trim_ascii()));
    statuses.filter_map(|status| delay_of_status(&status)).max()
}

fn delay_of_status(status: &[u8]) -> Option<Duration> {
    let details = Fields(status).filter_map(|field| field.bytes(3));
    details.filter_map(delay_of_any).max()
}

fn delay_of_any(any: &[u8]) -> Option<Duration> {
    let url = last_bytes(any, 1)?;
    if !url.ends_with(b"/google.rpc.RetryInfo") {
        return None;
    }
    let duration = last_bytes(last_bytes(any, 2)?, 1)?;
    let number = |number| Fields(duration).filter_map(|field| field.varint(number)).last();
    // Negative numbers take all 64 bits, so they do not convert.
    let seconds = i64::try_from(number(1).unwrap_or(0)).ok()?;
    let nanos =
        u32::try_from(number(2).unwrap_or(0)).ok().filter(|&nanos| nanos < 1_000_000_000)?;
    Some(Duration::new(seconds.unsigned_abs(), nanos))
}

/// Returns the last occurrence of a field, which counts if a field is repeated.
fn last_bytes(message: &[u8], number: u64) -> Option<&[u8]> {
    Fields(message).filter_map(|field| field.bytes(number)).last()
}

/// The fields of a protobuf message. Ends at the first malformed one.
struct Fields<'a>(&'a [u8]);

struct Field<'a> {
    number: u64,
    value: Value<'a>,
}

enum Value<'a> {
    Varint(u64),
    Bytes(&'a [u8]),
    Fixed,
}

impl<'a> Field<'a> {
    fn bytes(&self, number: u64) -> Option<&'a [u8]> {
        match self.value {
            Value::Bytes(bytes) if self.number == number => Some(bytes),
            _ => None,
        }
    }

    fn varint(&self, number: u64) -> Option<u64> {
        match self.value {
            Value::Varint(value) if self.number == number => Some(value),
            _ => None,
        }
    }
}

impl<'a> Fields<'a> {
    fn take_varint(&mut self) -> Option<u64> {
        let mut value = 0;
        // A number of 64 bits has at most 10 bytes.
        for shift in (0..70).step_by(7) {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, len: u64) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(usize::try_from(len).ok()?)?;
        self.0 = rest;
        Some(bytes)
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        let tag = self.take_varint()?;
        let value = match tag & 7 {
            0 => Value::Varint(self.take_varint()?),
            1 => self.take(8).map(|_| Value::Fixed)?,
            2 => {
                let len = self.take_varint()?;
                Value::Bytes(self.take(len)?)
            }
            5 => self.take(4).map(|_| Value::Fixed)?,
            // Groups are obsolete.
            _ => return None,
        };
        Some(Field { number: tag >> 3, value })
    }
}

fn decode_base64(value: &[u8]) -> Option<Vec<u8>> {
    let digits = value.strip_suffix(b"=").unwrap_or(value);
    let digits = digits.strip_suffix(b"=").unwrap_or(digits);
    if digits.len() > MAX_LEN || digits.len() % 4 == 1 {
        return None;
    }
    let mut decoded = Vec::with_capacity(digits.len() / 4 * 3 + 2);
    let mut bits: u32 = 0;
    for (i, &digit) in digits.iter().enumerate() {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        // Each digit but the first of four completes a byte.
        match i % 4 {
            1 => decoded.push((bits >> 4) as u8),
            2 => decoded.push((bits >> 2) as u8),
            3 => decoded.push(bits as u8),
            _ => {}
        }
    }
    Some(decoded)
}
