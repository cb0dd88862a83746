//! Tests of `seawall::commit`.
