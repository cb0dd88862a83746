//! The formats of an error response, one per file.

pub(super) mod grpc;
pub(super) mod html;
pub(super) mod problem_json;
pub(super) mod text;
