//! Errors in values that are valid on their own but contradict each other.

use std::fmt;

/// One segment of the path to a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PathSegment {
    Key(&'static str),
    /// An index in a list, counted from 0.
    Index(usize),
}

/// A validation error, with the path to the invalid value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ValidationError {
    /// The innermost segment first.
    reversed_path: Vec<PathSegment>,
    /// The path to the value that this one contradicts, the outermost segment first.
    conflict: Option<Vec<PathSegment>>,
    message: String,
}

impl ValidationError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { reversed_path: Vec::new(), conflict: None, message: message.into() }
    }

    /// Adds a key in front of the path.
    pub(super) fn at(mut self, key: &'static str) -> Self {
        self.reversed_path.push(PathSegment::Key(key));
        self
    }

    /// Adds a list index in front of the path.
    pub(super) fn at_index(mut self, index: usize) -> Self {
        self.reversed_path.push(PathSegment::Index(index));
        self
    }

    /// Sets the path to the value that this one contradicts. The message must end before "in".
    pub(super) fn conflicts_with(self, path: impl Into<Vec<PathSegment>>) -> Self {
        Self { conflict: Some(path.into()), ..self }
    }

    /// Returns the path to the invalid value, the outermost segment first.
    pub(super) fn path(&self) -> impl Iterator<Item = &PathSegment> + Clone {
        self.reversed_path.iter().rev()
    }

    pub(super) fn conflict(&self) -> Option<&[PathSegment]> {
        self.conflict.as_deref()
    }

    pub(super) fn message(&self) -> &str {
        &self.message
    }
}

/// Writes both paths as keys, for formats without line numbers.
impl fmt::Display for ValidationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", Path(self.path()), self.message)?;
        match &self.conflict {
            Some(conflict) => write!(f, " in {}", Path(conflict.iter())),
            None => Ok(()),
        }
    }
}

/// Formats a path, such as `route[1].retry.total`.
pub(super) struct Path<I>(pub(super) I);

impl<'a, I: Iterator<Item = &'a PathSegment> + Clone> fmt::Display for Path<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (depth, segment) in self.0.clone().enumerate() {
            match segment {
                PathSegment::Key(key) if depth == 0 => f.write_str(key)?,
                PathSegment::Key(key) => write!(f, ".{key}")?,
                PathSegment::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}
