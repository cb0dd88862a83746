//! Percent-decoding of single bytes.

/// A byte of a query, percent-decoded. A URL inside a URL may be encoded more than once.
#[derive(Clone, Copy)]
pub(super) struct DecodedByte {
    pub(super) byte: u8,
    /// The length of the encoded form, in bytes.
    pub(super) len: usize,
    /// The number of times that the byte is encoded.
    pub(super) depth: usize,
}

impl DecodedByte {
    pub(super) fn at(bytes: &[u8], pos: usize) -> Self {
        let plain = Self { byte: bytes[pos], len: 1, depth: 0 };
        if plain.byte != b'%' {
            return plain;
        }
        let (mut digits, mut depth) = (pos + 1, 1);
        while bytes[digits..].starts_with(b"25") {
            digits += 2;
            depth += 1;
        }
        let digit = |pos: usize| bytes.get(pos).and_then(|byte| char::from(*byte).to_digit(16));
        match (digit(digits), digit(digits + 1)) {
            (Some(high), Some(low)) => {
                Self { byte: (high * 16 + low) as u8, len: digits + 2 - pos, depth }
            }
            _ => Self { byte: b'%', len: digits - pos, depth: depth - 1 },
        }
    }
}
