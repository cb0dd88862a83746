//! What can be said on the command line.

use std::{fmt::Write, path::PathBuf, process::ExitCode};

use clap::{Parser, error::ErrorKind};

use crate::{
    scenario::{self, Scenario},
    stack::{self, Stack},
};

/// Outages on a clock that does not wait: what seawall, its parts and its peers make of an upstream that fails.
///
/// Prints a table, and leaves pictures (SVG and PNG) and all figures (JSON) in target/storm.
#[derive(Debug, Parser)]
#[command(name = "storm", version)]
pub(crate) struct Arguments {
    /// Only this scenario; may be given several times
    #[arg(long = "scenario", value_name = "NAME", value_parser = scenario_named)]
    scenarios: Vec<&'static Scenario>,

    /// Only this stack; may be given several times
    #[arg(long = "stack", value_name = "NAME", value_parser = stack_named)]
    stacks: Vec<Stack>,

    /// What chance begins with: the same number, the same storm
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub(crate) seed: u64,

    /// Where the pictures and figures go
    #[arg(long, value_name = "FOLDER", default_value = "target/storm")]
    pub(crate) out: PathBuf,

    /// Say which scenarios and stacks there are
    #[arg(long)]
    pub(crate) list: bool,

    /// Run what must hold of seawall, and exit with 1 if it does not
    #[arg(long, conflicts_with_all = ["scenarios", "stacks", "list"])]
    pub(crate) check: bool,
}

impl Arguments {
    /// Reads the command line; otherwise what to exit with, all being said.
    pub(crate) fn read() -> Result<Self, ExitCode> {
        Self::try_parse().map_err(|asked| match asked.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                print!("{asked}");
                ExitCode::SUCCESS
            }
            _ => {
                // The first line says what is wrong, the others how to use the program.
                let text = asked.to_string();
                let line = text.lines().next().unwrap_or_default();
                eprintln!("{}; see --help", line.strip_prefix("error: ").unwrap_or(line));
                ExitCode::from(2)
            }
        })
    }

    /// Those asked for, each once, in the order in which they are listed; all if none is.
    pub(crate) fn scenarios(&self) -> Vec<&'static Scenario> {
        let asked = |one: &&Scenario| {
            self.scenarios.is_empty() || self.scenarios.iter().any(|asked| asked.name == one.name)
        };
        scenario::ALL.iter().filter(asked).collect()
    }

    pub(crate) fn stacks(&self) -> Vec<Stack> {
        let asked = |one: &Stack| {
            self.stacks.is_empty() || self.stacks.iter().any(|asked| asked.name == one.name)
        };
        stack::ALL.iter().copied().filter(asked).collect()
    }
}

pub(crate) fn list() -> String {
    let mut text = String::from("Scenarios, 120 s at 1,000 calls a second:\n");
    // Writing to a string does not fail.
    for scenario in &scenario::ALL {
        let _ = writeln!(text, "  {:<17} {}", scenario.name, scenario.title);
    }
    text.push_str("\nStacks, told that an attempt may take 1 s and a call 3 s:\n");
    for stack in &stack::ALL {
        let _ = writeln!(text, "  {:<17} {}", stack.name, stack.what);
    }
    text
}

fn scenario_named(name: &str) -> Result<&'static Scenario, String> {
    let names = scenario::ALL.iter().map(|scenario| scenario.name);
    scenario::ALL.iter().find(|one| one.name == name).ok_or_else(|| unknown(names))
}

fn stack_named(name: &str) -> Result<Stack, String> {
    let names = stack::ALL.iter().map(|stack| stack.name);
    stack::ALL.iter().copied().find(|one| one.name == name).ok_or_else(|| unknown(names))
}

fn unknown<'a>(names: impl Iterator<Item = &'a str>) -> String {
    format!("there are {}", names.collect::<Vec<_>>().join(", "))
}
