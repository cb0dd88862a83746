//! The output folder: plots and a JSON file with all metrics.

use std::{fmt::Display, fs, path::Path};

use crate::{RunResult, plot, scenario::Scenario};

pub(crate) fn write(
    folder: &Path,
    scenarios: &[&Scenario],
    results: &[RunResult],
) -> Result<(), String> {
    let write_error =
        |error: &dyn Display| format!("cannot write to {}: {error}", folder.display());
    fs::create_dir_all(folder).map_err(|error| write_error(&error))?;
    let text = serde_json::to_string(results).map_err(|error| write_error(&error))?;
    fs::write(folder.join("storm.json"), text).map_err(|error| write_error(&error))?;
    for scenario in scenarios {
        let [peers, variants] = plot::split(scenario, results);
        for (name, plotted) in
            [(scenario.name.to_owned(), peers), (format!("{}-parts", scenario.name), variants)]
        {
            if !plotted.is_empty() {
                plot::draw(folder, &name, scenario, &plotted)
                    .map_err(|error| write_error(&error))?;
            }
        }
    }
    Ok(())
}
