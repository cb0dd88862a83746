//! What is known of a gateway: how it is found and started, and what it answers.

use std::{
    env, fs,
    io::{self, Write},
    net::SocketAddr,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::Command,
};

use seawall::Product;

use crate::{
    answer::{Answer, BY_ALL},
    gateway::{Gateway, directory, free_port},
    scenario::Backstage,
};

/// One gateway; the file of its name has it.
pub(crate) struct Kind {
    /// In the table.
    pub(crate) name: &'static str,
    pub(crate) product: Product,
    pub(crate) program: &'static str,
    /// Writes its configuration, and gives the command that runs it in the foreground.
    pub(crate) command: fn(&Path, &Site<'_>) -> Command,
    /// What it answers, where that is not what [all](BY_ALL) of them do.
    pub(crate) answers: &'static [Answer],
    /// What the table does not show.
    pub(crate) remarks: &'static [&'static str],
}

/// What a gateway's configuration is made of.
pub(crate) struct Site<'a> {
    /// Where it is to listen.
    pub(crate) addr: SocketAddr,
    /// Its own directory, for whatever it writes.
    pub(crate) directory: &'a Path,
    pub(crate) backstage: &'a Backstage,
}

impl Kind {
    /// Starts it; `None`, said aloud, when it is not installed. That fails if `SEAWALL_GATEWAYS` is `all`.
    pub(crate) async fn start(&self, backstage: &Backstage) -> Option<Gateway> {
        let Some(program) = find(self.program) else {
            let all = env::var_os("SEAWALL_GATEWAYS").is_some_and(|which| which == "all");
            assert!(!all, "{} is not installed, and SEAWALL_GATEWAYS=all", self.program);
            // Past the test harness, which shows nothing of a test that passes.
            let _ = writeln!(io::stderr(), "skipped: {} is not installed", self.program);
            return None;
        };
        let (addr, directory) = (free_port(), directory(self.program));
        let site = Site { addr, directory: directory.path(), backstage };
        let command = (self.command)(&program, &site);
        Some(Gateway::start(&command, directory, addr).await)
    }

    pub(crate) fn answer(&self, scenario: &str) -> &Answer {
        let mut answers = self.answers.iter().chain(&BY_ALL);
        answers
            .find(|answer| answer.scenario == scenario)
            .unwrap_or_else(|| panic!("no row of {} for {scenario}", self.name))
    }
}

/// Servers stand where the `PATH` of a user may not lead; `.ci/run` puts Envoy into the target folder.
fn find(program: &str) -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("envoy").join("bin");
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = [own, "/usr/sbin".into()].into_iter().chain(env::split_paths(&path));
    folders.map(|folder| folder.join(program)).find(|it| it.is_file())
}

/// Whether servers that will not run as root have to be told whom to be.
pub(crate) fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}
