//! Renderings of a report.

mod duration;
pub(crate) mod json;
mod page;
pub(crate) mod text;

pub(crate) use page::columns;
