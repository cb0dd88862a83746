//! A file in TOML: what is wrong in it, and where.

use std::ops::Range;

use serde::Deserialize;
use toml::de::{DeTable, DeValue, Deserializer, Error};

use super::{
    Config, ConfigError,
    document::ConfigDocument,
    validation_error::{Path, PathSegment, ValidationError},
};

pub(super) fn parse(text: &str) -> Result<Config, ConfigError> {
    let file = Deserializer::parse(text)
        .map_err(|error| syntax(text, &error))
        .and_then(|from| ConfigDocument::deserialize(from).map_err(|error| value(text, &error)))?;
    file.checked().map_err(|wrong| whole(text, &wrong))
}

/// It is no TOML, so there are no keys yet.
fn syntax(text: &str, error: &Error) -> ConfigError {
    let line = error.span().map(|span| line_of(text.as_bytes(), span.start));
    let message = error.message();
    // It says that a key is there twice, but not which.
    let twice = error.span().filter(|_| message == "duplicate key").and_then(|span| text.get(span));
    let wrong = ConfigError::new(message).on(line);
    match twice {
        Some(key) => wrong.key_is(key),
        None => wrong,
    }
}

/// Something is not what its key asks for.
fn value(text: &str, error: &Error) -> ConfigError {
    let line = error.span().map(|span| line_of(text.as_bytes(), span.start));
    let key = error.span().and_then(|span| key_around(text, span));
    ConfigError::new(error.message()).on(line).key_is(&key.unwrap_or_default())
}

/// All is what it should be, but does not go together.
fn whole(text: &str, wrong: &ValidationError) -> ConfigError {
    let line = |steps: &mut dyn Iterator<Item = &PathSegment>| {
        let table = DeTable::parse(text).ok()?.into_inner();
        place_of(&table, steps).map(|span| line_of(text.as_bytes(), span.start))
    };
    let message = match wrong.other() {
        None => wrong.message().to_owned(),
        Some(other) => match line(&mut other.iter()) {
            Some(line) => format!("{} on line {line}", wrong.message()),
            None => format!("{} {}", wrong.message(), Path(other.iter())),
        },
    };
    let key = Path(wrong.path()).to_string();
    ConfigError::new(&message).on(line(&mut wrong.path())).key_is(&key)
}

/// Counted from 1.
pub(super) fn line_of(text: &[u8], at: usize) -> usize {
    memchr::memchr_iter(b'\n', text.get(..at).unwrap_or(text)).count() + 1
}

/// Where the last key of a path stands, as far as the path leads.
fn place_of(
    table: &DeTable<'_>,
    steps: &mut dyn Iterator<Item = &PathSegment>,
) -> Option<Range<usize>> {
    let Some(PathSegment::Key(key)) = steps.next() else { return None };
    let (name, value) = table.iter().find(|(name, _)| name.get_ref() == key)?;
    let (mut span, mut value) = (name.span(), value);
    loop {
        value = match value.get_ref() {
            DeValue::Table(table) => return place_of(table, steps).or(Some(span)),
            DeValue::Array(list) => match steps.next() {
                Some(PathSegment::Index(index)) => list.get(*index)?,
                _ => return Some(span),
            },
            _ => return Some(span),
        };
        span = value.span();
    }
}

/// The key, with those above it, whose name or value lies closest around a place.
fn key_around(text: &str, place: Range<usize>) -> Option<String> {
    let table = DeTable::parse(text).ok()?.into_inner();
    let mut found = None;
    search(&table, "", &place, &mut found);
    found.map(|(_, key)| key)
}

type Found = Option<(usize, String)>;

fn search(table: &DeTable<'_>, parent: &str, place: &Range<usize>, found: &mut Found) {
    for (name, value) in table {
        let dot = if parent.is_empty() { "" } else { "." };
        let key = format!("{parent}{dot}{}", name.get_ref());
        look(name.span(), &key, place, found);
        search_value(value.get_ref(), value.span(), &key, place, found);
    }
}

fn search_value(
    value: &DeValue<'_>,
    span: Range<usize>,
    key: &str,
    place: &Range<usize>,
    found: &mut Found,
) {
    look(span, key, place, found);
    match value {
        DeValue::Table(table) => search(table, key, place, found),
        DeValue::Array(list) => {
            for (index, value) in list.iter().enumerate() {
                let key = format!("{key}[{index}]");
                search_value(value.get_ref(), value.span(), &key, place, found);
            }
        }
        _ => {}
    }
}

fn look(span: Range<usize>, key: &str, place: &Range<usize>, found: &mut Found) {
    let around = span.start <= place.start && place.end <= span.end;
    // What is further inside comes later, and may be of the same length.
    if around && found.as_ref().is_none_or(|(length, _)| span.len() <= *length) {
        *found = Some((span.len(), key.to_owned()));
    }
}
