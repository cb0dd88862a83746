//! What is left in a folder: pictures for people, figures for programs.

use std::{fmt::Display, fs, path::Path};

use crate::{Result, picture, scenario::Scenario};

pub(crate) fn all(
    folder: &Path,
    scenarios: &[&Scenario],
    results: &[Result],
) -> std::result::Result<(), String> {
    let failed = |error: &dyn Display| format!("cannot write to {}: {error}", folder.display());
    fs::create_dir_all(folder).map_err(|error| failed(&error))?;
    let text = serde_json::to_string(results).map_err(|error| failed(&error))?;
    fs::write(folder.join("storm.json"), text).map_err(|error| failed(&error))?;
    for scenario in scenarios {
        let [peers, parts] = picture::split(scenario, results);
        for (name, shown) in
            [(scenario.name.to_owned(), peers), (format!("{}-parts", scenario.name), parts)]
        {
            if !shown.is_empty() {
                picture::draw(folder, &name, scenario, &shown).map_err(|error| failed(&error))?;
            }
        }
    }
    Ok(())
}
