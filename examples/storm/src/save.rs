//! What is left for programs.

use std::{fs, path::Path};

use crate::Result;

pub(crate) fn all(folder: &Path, results: &[Result]) -> std::result::Result<(), String> {
    let failed =
        |error: &dyn std::fmt::Display| format!("cannot write to {}: {error}", folder.display());
    fs::create_dir_all(folder).map_err(|error| failed(&error))?;
    let text = serde_json::to_string(results).map_err(|error| failed(&error))?;
    fs::write(folder.join("storm.json"), text).map_err(|error| failed(&error))?;
    Ok(())
}
