use std::{fs::File, io::Read, path::Path};

use super::{Config, ConfigError, text};

/// The size from which a file is rejected. A file of that size is probably not a configuration.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// Parses TOML.
pub(super) fn from_text(text: &str) -> Result<Config, ConfigError> {
    if text.len() as u64 >= MAX_FILE_BYTES {
        return Err(too_long());
    }
    text::parse(text)
}

/// Reads a file and parses it as TOML.
pub(super) fn from_file(path: &Path) -> Result<Config, ConfigError> {
    let read = || {
        let mut bytes = Vec::new();
        // The read is limited, because the metadata of a pipe or of `/dev/zero` has no length.
        File::open(path)?.take(MAX_FILE_BYTES).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let parsed = read().map_err(|error| ConfigError::unreadable(&error)).and_then(|bytes| {
        if bytes.len() as u64 >= MAX_FILE_BYTES {
            return Err(too_long());
        }
        let not_utf8 = |error: &std::str::Utf8Error| {
            let line = text::line_of(&bytes, error.valid_up_to());
            ConfigError::new("is not UTF-8, expected TOML").with_line(Some(line))
        };
        text::parse(std::str::from_utf8(&bytes).map_err(|error| not_utf8(&error))?)
    });
    parsed.map_err(|error| error.with_file(path))
}

fn too_long() -> ConfigError {
    ConfigError::new("is too long, expected less than 1 MiB")
}
