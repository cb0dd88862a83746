//! The series of measurements.

mod cpu;
mod failures;
mod instructions;
mod llm;
mod memory;
mod threads;

use clap::ValueEnum;

use super::{lab::Lab, load::Kind};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Series {
    /// CPU time of a GET, without logs
    GetNoLog,
    /// CPU time of a GET, with an access log
    GetLog,
    /// CPU time of a POST, without logs
    PostNoLog,
    /// Instructions of a request
    Instructions,
    /// CPU time of a chat completion
    Llm,
    /// Throughput and failures while the origin fails
    Failures,
    /// Memory of the processes
    Memory,
    /// CPU time of a GET with two worker threads
    Threads,
}

impl Series {
    pub(crate) async fn run(self, lab: &Lab) {
        match self {
            Self::GetNoLog => cpu::run(lab, Kind::Get, false).await,
            Self::GetLog => cpu::run(lab, Kind::Get, true).await,
            Self::PostNoLog => cpu::run(lab, Kind::Post, false).await,
            Self::Instructions => instructions::run(lab).await,
            Self::Llm => llm::run(lab).await,
            Self::Failures => failures::run(lab).await,
            Self::Memory => memory::run(lab).await,
            Self::Threads => threads::run(lab).await,
        }
    }
}
