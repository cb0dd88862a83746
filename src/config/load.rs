use std::{fs::File, io::Read, path::Path};

use super::{Config, ConfigError, text};

/// Files of so many bytes or more are refused: no set of policies is so long, so it is the wrong file.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

pub(super) fn text(text: &str) -> Result<Config, ConfigError> {
    if text.len() as u64 >= MAX_FILE_BYTES {
        return Err(too_long());
    }
    text::parse(text)
}

pub(super) fn file(path: &Path) -> Result<Config, ConfigError> {
    let read = || {
        let mut bytes = Vec::new();
        // No length is asked for: a pipe and `/dev/zero` have none.
        File::open(path)?.take(MAX_FILE_BYTES).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let parsed = read().map_err(|error| ConfigError::unreadable(&error)).and_then(|bytes| {
        if bytes.len() as u64 >= MAX_FILE_BYTES {
            return Err(too_long());
        }
        let utf8 = |error: &std::str::Utf8Error| {
            let line = text::line_of(&bytes, error.valid_up_to());
            ConfigError::new("is not UTF-8, expected TOML").on(Some(line))
        };
        text::parse(std::str::from_utf8(&bytes).map_err(|error| utf8(&error))?)
    });
    parsed.map_err(|invalid| invalid.of(path))
}

fn too_long() -> ConfigError {
    ConfigError::new("is too long, expected less than 1 MiB")
}
