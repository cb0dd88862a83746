//! The environment of all measurements: the origin, and the folders of the proxies.

use std::{env, net::SocketAddr, path::PathBuf, process::Command};

use tempfile::TempDir;

use super::{
    Arguments, check,
    process::{self, Process},
    subject::Subject,
};

pub(crate) struct Lab {
    pub(crate) arguments: Arguments,
    pub(crate) origin: SocketAddr,
    _origin_process: Process,
}

/// A proxy that runs and forwards.
pub(crate) struct Proxy {
    pub(crate) name: String,
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
    pub(crate) log: Option<PathBuf>,
    _folders: [TempDir; 2],
}

/// How a proxy runs.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Run<'a> {
    pub(crate) with_log: bool,
    /// Whether some responses of the origin are 502.
    pub(crate) with_failures: bool,
    /// Words before the program, for example valgrind.
    pub(crate) wrap: &'a str,
    /// The processors, instead of that of all proxies.
    pub(crate) cpus: Option<&'a str>,
    /// The value of `TOKIO_WORKER_THREADS`, instead of 1.
    pub(crate) threads: Option<&'a str>,
}

impl Lab {
    pub(crate) fn new(arguments: Arguments, failing_percent: f64) -> Self {
        let own = env::current_exe().expect("a path");
        let (process, origin) =
            Process::start_origin(&own.with_file_name("origin"), failing_percent);
        Self { arguments, origin, _origin_process: process }
    }

    /// Returns the subjects that the arguments select.
    pub(crate) fn select(&self, subjects: &[Subject]) -> Vec<Subject> {
        let Arguments { before, only, .. } = &self.arguments;
        let selected = subjects.iter().copied().filter(|subject| {
            let is_selected =
                only.is_empty() || only.iter().any(|name| name.as_str() == subject.name());
            is_selected && (*before || *subject != Subject::Before)
        });
        selected.collect()
    }

    /// Starts a proxy, and waits until it forwards.
    pub(crate) async fn start(&self, subject: Subject, run: Run<'_>) -> Proxy {
        let name = subject.name();
        let folder = TempDir::with_prefix(name).expect("a folder");
        let logs = TempDir::with_prefix_in(name, &self.arguments.logs).expect("a folder");
        let log = run.with_log.then(|| logs.path().join("access.log"));
        let address = process::free_address();
        let mut command = Command::new("taskset");
        command
            .args(["--cpu-list", run.cpus.unwrap_or(&self.arguments.cpu)])
            .arg(self.arguments.peers.join(name).with_extension("sh"))
            .arg("serve")
            .env("PORT", address.port().to_string())
            .env("ORIGIN", self.origin.to_string())
            .env("FOLDER", folder.path())
            .env("LOG", log.as_deref().unwrap_or("".as_ref()))
            .env("FAILURES", if run.with_failures { "1" } else { "" })
            .env("WRAP", run.wrap)
            .env("TOKIO_WORKER_THREADS", run.threads.unwrap_or("1"));
        let mut process = Process::start_proxy(command, name, folder.path().join("stderr"));
        process.wait_until_it_listens(address);
        check::wait_until_it_forwards(&mut process, subject, address, self.origin).await;
        Proxy { name: name.to_owned(), process, address, log, _folders: [folder, logs] }
    }
}
