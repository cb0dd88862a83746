//! `Config`: policies from a file, and swapped while running.

mod bad_input;

use seawall::config::{Config, InvalidConfig};

/// Why this is no configuration.
#[track_caller]
fn refused(text: &str) -> InvalidConfig {
    match Config::from_toml(text) {
        Ok(config) => panic!("taken for {config:?}"),
        Err(invalid) => invalid,
    }
}
