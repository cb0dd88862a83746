//! The command line.

use std::{fmt::Write, path::PathBuf, process::ExitCode};

use clap::{Parser, error::ErrorKind};

use crate::{
    scenario::{self, Scenario},
    stack::{self, Stack},
};

/// Simulates outages of an upstream, for seawall, its parts and other libraries, on a paused clock.
///
/// Prints a table per scenario, and writes plots (SVG and PNG) and metrics (JSON) to target/storm.
#[derive(Debug, Parser)]
#[command(name = "storm", version)]
pub(crate) struct Args {
    /// Run only this scenario (repeatable)
    #[arg(long = "scenario", value_name = "NAME", value_parser = parse_scenario)]
    scenarios: Vec<&'static Scenario>,

    /// Run only this stack (repeatable)
    #[arg(long = "stack", value_name = "NAME", value_parser = parse_stack)]
    stacks: Vec<Stack>,

    /// Seed of the random numbers; the same seed gives the same results
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub(crate) seed: u64,

    /// Folder for plots and metrics
    #[arg(long, value_name = "FOLDER", default_value = "target/storm")]
    pub(crate) out: PathBuf,

    /// List the scenarios and stacks
    #[arg(long)]
    pub(crate) list: bool,

    /// Verify the expectations of seawall, and exit with status 1 if one fails
    #[arg(long, conflicts_with_all = ["scenarios", "stacks", "list"])]
    pub(crate) check: bool,
}

impl Args {
    /// Parses the command line.
    ///
    /// # Errors
    /// Prints the help or the error, and returns the exit code.
    pub(crate) fn from_command_line() -> Result<Self, ExitCode> {
        Self::try_parse().map_err(|error| match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                print!("{error}");
                ExitCode::SUCCESS
            }
            _ => {
                // The first line is the error. The others explain the usage.
                let text = error.to_string();
                let line = text.lines().next().unwrap_or_default();
                eprintln!("{}; see --help", line.strip_prefix("error: ").unwrap_or(line));
                ExitCode::from(2)
            }
        })
    }

    /// Returns the selected scenarios in the order of [`scenario::ALL`], or all if none is
    /// selected.
    pub(crate) fn scenarios(&self) -> Vec<&'static Scenario> {
        let is_selected = |scenario: &&Scenario| {
            self.scenarios.is_empty() || self.scenarios.iter().any(|it| it.name == scenario.name)
        };
        scenario::ALL.iter().filter(is_selected).collect()
    }

    /// Returns the selected stacks in the order of [`stack::ALL`], or all if none is selected.
    pub(crate) fn stacks(&self) -> Vec<Stack> {
        let is_selected = |stack: &Stack| {
            self.stacks.is_empty() || self.stacks.iter().any(|it| it.name == stack.name)
        };
        stack::ALL.iter().copied().filter(is_selected).collect()
    }
}

/// Lists the scenarios and stacks.
pub(crate) fn list() -> String {
    let mut text = String::from("Scenarios, 120 s at 1,000 calls per second:\n");
    // Writing to a string does not fail.
    for scenario in &scenario::ALL {
        let _ = writeln!(text, "  {:<17} {}", scenario.name, scenario.title);
    }
    text.push_str("\nStacks, with timeouts of 1 s per attempt and 3 s per call:\n");
    for stack in &stack::ALL {
        let _ = writeln!(text, "  {:<17} {}", stack.name, stack.description);
    }
    text
}

fn parse_scenario(name: &str) -> Result<&'static Scenario, String> {
    let names = scenario::ALL.iter().map(|scenario| scenario.name);
    scenario::ALL.iter().find(|it| it.name == name).ok_or_else(|| known_names(names))
}

fn parse_stack(name: &str) -> Result<Stack, String> {
    let names = stack::ALL.iter().map(|stack| stack.name);
    stack::ALL.iter().copied().find(|it| it.name == name).ok_or_else(|| known_names(names))
}

fn known_names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    format!("expected one of {}", names.collect::<Vec<_>>().join(", "))
}
