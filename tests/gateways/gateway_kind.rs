//! A gateway product: its program, its configuration and its expected responses.

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
    expected::{COMMON, ExpectedResponse},
    process::{Gateway, create_directory, free_port},
    scenario::Upstreams,
};

/// A gateway product. Each has its own file.
pub(crate) struct GatewayKind {
    /// The name in the table.
    pub(crate) name: &'static str,
    pub(crate) product: Product,
    pub(crate) program: &'static str,
    /// Writes the configuration and returns the command that runs the gateway in the foreground.
    pub(crate) command: fn(&Path, &GatewaySetup<'_>) -> Command,
    /// The responses that differ from the [common](COMMON) ones.
    pub(crate) responses: &'static [ExpectedResponse],
    /// Explanations below the table.
    pub(crate) notes: &'static [&'static str],
}

/// The inputs of a gateway's configuration.
pub(crate) struct GatewaySetup<'a> {
    /// The address to listen on.
    pub(crate) addr: SocketAddr,
    /// The directory for all files that the gateway writes.
    pub(crate) directory: &'a Path,
    pub(crate) upstreams: &'a Upstreams,
}

impl GatewayKind {
    /// Starts the gateway.
    ///
    /// Prints a note and returns `None` if the gateway is not installed.
    ///
    /// # Panics
    ///
    /// Panics if the gateway is not installed and `SEAWALL_GATEWAYS` is `all`.
    pub(crate) async fn start(&self, upstreams: &Upstreams) -> Option<Gateway> {
        let Some(program) = find_program(self.program) else {
            let requires_all = env::var_os("SEAWALL_GATEWAYS").is_some_and(|value| value == "all");
            assert!(!requires_all, "{} is not installed, and SEAWALL_GATEWAYS=all", self.program);
            // Bypasses the test harness, which hides the output of passing tests.
            let _ = writeln!(io::stderr(), "skipped: {} is not installed", self.program);
            return None;
        };
        let (addr, directory) = (free_port(), create_directory(self.program));
        let setup = GatewaySetup { addr, directory: directory.path(), upstreams };
        let command = (self.command)(&program, &setup);
        Some(Gateway::start(&command, directory, addr).await)
    }

    pub(crate) fn expected_response(&self, scenario: &str) -> &ExpectedResponse {
        let mut responses = self.responses.iter().chain(&COMMON);
        responses
            .find(|response| response.scenario == scenario)
            .unwrap_or_else(|| panic!("{} has no expected response for {scenario}", self.name))
    }
}

/// Finds a program in the target folder, where `.ci/run` installs Envoy, in `/usr/sbin` or in
/// `PATH`.
fn find_program(program: &str) -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("envoy").join("bin");
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = [target, "/usr/sbin".into()].into_iter().chain(env::split_paths(&path));
    folders.map(|folder| folder.join(program)).find(|path| path.is_file())
}

/// Returns true if this process runs as root. Some servers then need a user to switch to.
pub(crate) fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}
