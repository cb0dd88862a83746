//! What is wrong, and where: what each value is for itself, but not beside the others.

use std::fmt;

/// Where something stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PathSegment {
    Key(&'static str),
    /// Counted from 0.
    Index(usize),
}

/// What is wrong with the whole, or with a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ValidationError {
    /// From the inside out.
    steps: Vec<PathSegment>,
    /// Where the other one stands that it contradicts, from the outside in, and what is to be said before and after.
    also: Option<Vec<PathSegment>>,
    message: String,
}

impl ValidationError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { steps: Vec::new(), also: None, message: message.into() }
    }

    /// Behind this key.
    pub(super) fn at(mut self, key: &'static str) -> Self {
        self.steps.push(PathSegment::Key(key));
        self
    }

    /// In this one of a list.
    pub(super) fn nth(mut self, index: usize) -> Self {
        self.steps.push(PathSegment::Index(index));
        self
    }

    /// Contradicts what stands there.
    pub(super) fn also(self, steps: impl Into<Vec<PathSegment>>) -> Self {
        Self { also: Some(steps.into()), ..self }
    }

    /// From the outside in.
    pub(super) fn path(&self) -> impl Iterator<Item = &PathSegment> + Clone {
        self.steps.iter().rev()
    }

    pub(super) fn other(&self) -> Option<&[PathSegment]> {
        self.also.as_deref()
    }

    pub(super) fn message(&self) -> &str {
        &self.message
    }
}

/// With the place of the other one, as the format of the file has it, or its key.
impl fmt::Display for ValidationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", Path(self.path()), self.message)?;
        match &self.also {
            Some(other) => write!(f, " {}", Path(other.iter())),
            None => Ok(()),
        }
    }
}

/// `route[1].retry.total`.
pub(super) struct Path<I>(pub(super) I);

impl<'a, I: Iterator<Item = &'a PathSegment> + Clone> fmt::Display for Path<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, step) in self.0.clone().enumerate() {
            match step {
                PathSegment::Key(key) if number == 0 => f.write_str(key)?,
                PathSegment::Key(key) => write!(f, ".{key}")?,
                PathSegment::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}
