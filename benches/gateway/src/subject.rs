//! The measured proxies.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
};

/// A proxy that serves `/api`.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub(crate) name: String,
    program: PathBuf,
    mode: Mode,
}

#[derive(Clone, Copy, Debug)]
enum Mode {
    Plain,
    Upstream,
    Config,
}

impl Subject {
    /// Returns the plain proxy, and both modes of each gateway.
    pub(crate) fn all(plain: &Path, gateway: &Path, before: Option<&Path>) -> Vec<Self> {
        let subject = |name: &str, program: &Path, mode| Self {
            name: name.to_owned(),
            program: program.to_owned(),
            mode,
        };
        let mut subjects = vec![
            subject("plain", plain, Mode::Plain),
            subject("gateway --upstream", gateway, Mode::Upstream),
            subject("gateway --config", gateway, Mode::Config),
        ];
        if let Some(before) = before {
            subjects.push(subject("before --upstream", before, Mode::Upstream));
            subjects.push(subject("before --config", before, Mode::Config));
        }
        subjects
    }

    /// Returns the gateway with `--upstream`.
    pub(crate) fn gateway(program: &Path) -> Self {
        let name = "gateway --upstream".to_owned();
        Self { name, program: program.to_owned(), mode: Mode::Upstream }
    }

    /// Returns the command that serves `listen`. `prefix` runs the program, for example valgrind.
    pub(crate) fn command(
        &self,
        prefix: &[String],
        listen: SocketAddr,
        origin: SocketAddr,
        folder: &Path,
    ) -> Command {
        let (first, rest) = prefix.split_first().expect("a command");
        let mut command = Command::new(first);
        command.args(rest).arg(&self.program);
        let listen = listen.to_string();
        match self.mode {
            Mode::Plain => command.arg(listen).arg(origin.to_string()),
            Mode::Upstream => {
                let upstream = format!("api=http://{origin}");
                command.args(["--log", "text", "--listen", &listen, "--upstream", &upstream])
            }
            Mode::Config => {
                let file = folder.join("gateway.toml");
                fs::write(&file, config(origin)).expect("a file");
                command.args(["--log", "text", "--listen", &listen, "--config"]).arg(file)
            }
        };
        command
    }
}

/// Returns the configuration of a service with one upstream.
fn config(origin: SocketAddr) -> String {
    format!("[[service]]\nname = \"api\"\n\n[[service.upstream]]\nurl = \"http://{origin}\"\n")
}
