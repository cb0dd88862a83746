//! Parses TOML and locates errors by line and key.

use std::ops::Range;

use serde::Deserialize;
use toml::de::{DeTable, DeValue, Deserializer, Error};

use super::{
    Config, ConfigError,
    document::ConfigDocument,
    validation_error::{Path, PathSegment, ValidationError},
};

pub(super) fn parse(text: &str) -> Result<Config, ConfigError> {
    let document = Deserializer::parse(text).map_err(|error| syntax_error(text, &error)).and_then(
        |deserializer| {
            ConfigDocument::deserialize(deserializer).map_err(|error| value_error(text, &error))
        },
    )?;
    document.validate().map_err(|error| validation_error(text, &error))
}

/// Describes invalid TOML. The error has no key path, since no keys were parsed.
fn syntax_error(text: &str, error: &Error) -> ConfigError {
    let line = error.span().map(|span| line_of(text.as_bytes(), span.start));
    let message = error.message();
    // The message of a duplicate key does not name the key.
    let duplicate =
        error.span().filter(|_| message == "duplicate key").and_then(|span| text.get(span));
    let error = ConfigError::new(message).with_line(line);
    match duplicate {
        Some(key) => error.with_key(key),
        None => error,
    }
}

/// Describes a value that its key does not accept.
fn value_error(text: &str, error: &Error) -> ConfigError {
    let line = error.span().map(|span| line_of(text.as_bytes(), span.start));
    let key = error.span().and_then(|span| key_at(text, span));
    ConfigError::new(error.message()).with_line(line).with_key(&key.unwrap_or_default())
}

/// Describes valid values that contradict each other.
fn validation_error(text: &str, error: &ValidationError) -> ConfigError {
    let line = |path: &mut dyn Iterator<Item = &PathSegment>| {
        let table = DeTable::parse(text).ok()?.into_inner();
        span_of(&table, path).map(|span| line_of(text.as_bytes(), span.start))
    };
    let message = match error.conflict() {
        None => error.message().to_owned(),
        Some(conflict) => match line(&mut conflict.iter()) {
            Some(line) => format!("{} on line {line}", error.message()),
            None => format!("{} in {}", error.message(), Path(conflict.iter())),
        },
    };
    let key = Path(error.path()).to_string();
    ConfigError::new(&message).with_line(line(&mut error.path())).with_key(&key)
}

/// Returns the line of a byte offset, counted from 1.
pub(super) fn line_of(text: &[u8], offset: usize) -> usize {
    memchr::memchr_iter(b'\n', text.get(..offset).unwrap_or(text)).count() + 1
}

/// Returns the span of the last segment of `path` that exists in the file.
fn span_of(
    table: &DeTable<'_>,
    path: &mut dyn Iterator<Item = &PathSegment>,
) -> Option<Range<usize>> {
    let Some(PathSegment::Key(key)) = path.next() else { return None };
    let (name, value) = table.iter().find(|(name, _)| name.get_ref() == key)?;
    let (mut span, mut value) = (name.span(), value);
    loop {
        value = match value.get_ref() {
            DeValue::Table(table) => return span_of(table, path).or(Some(span)),
            DeValue::Array(list) => match path.next() {
                Some(PathSegment::Index(index)) => list.get(*index)?,
                _ => return Some(span),
            },
            _ => return Some(span),
        };
        span = value.span();
    }
}

/// Returns the full key of the innermost name or value that contains `target`.
fn key_at(text: &str, target: Range<usize>) -> Option<String> {
    let table = DeTable::parse(text).ok()?.into_inner();
    let mut innermost = None;
    search_table(&table, "", &target, &mut innermost);
    innermost.map(|(_, key)| key)
}

/// The length of the smallest matching span, and its key.
type Innermost = Option<(usize, String)>;

fn search_table(
    table: &DeTable<'_>,
    parent: &str,
    target: &Range<usize>,
    innermost: &mut Innermost,
) {
    for (name, value) in table {
        let dot = if parent.is_empty() { "" } else { "." };
        let key = format!("{parent}{dot}{}", name.get_ref());
        update_innermost(name.span(), &key, target, innermost);
        search_value(value.get_ref(), value.span(), &key, target, innermost);
    }
}

fn search_value(
    value: &DeValue<'_>,
    span: Range<usize>,
    key: &str,
    target: &Range<usize>,
    innermost: &mut Innermost,
) {
    update_innermost(span, key, target, innermost);
    match value {
        DeValue::Table(table) => search_table(table, key, target, innermost),
        DeValue::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                let key = format!("{key}[{index}]");
                search_value(value.get_ref(), value.span(), &key, target, innermost);
            }
        }
        _ => {}
    }
}

fn update_innermost(
    span: Range<usize>,
    key: &str,
    target: &Range<usize>,
    innermost: &mut Innermost,
) {
    let contains_target = span.start <= target.start && target.end <= span.end;
    // An inner value is visited after the outer one, and may have a span of the same length.
    if contains_target && innermost.as_ref().is_none_or(|(length, _)| span.len() <= *length) {
        *innermost = Some((span.len(), key.to_owned()));
    }
}
