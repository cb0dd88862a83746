//! The controls of the demo: fault injection and background load.

use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use scripted_origin::{Origin, Script};
use tokio::sync::{
    mpsc::{self, error::TrySendError},
    oneshot,
};

/// The maximum number of commands that wait for an earlier one. Further ones are refused.
const MAX_WAITING_COMMANDS: usize = 8;

/// The state of the demo's upstreams, shared by the dashboard and the demo.
#[derive(Debug)]
pub(crate) struct DemoControls {
    upstreams: Vec<DemoUpstream>,
    common_faults: &'static [Fault],
    commands: mpsc::Sender<Command>,
    load_test_running: AtomicBool,
    background_load: AtomicBool,
}

/// A demo upstream with a fault that can be injected.
#[derive(Debug)]
pub(crate) struct DemoUpstream {
    pub(crate) name: &'static str,
    /// The upstream's own fault. Each can also have the common ones.
    pub(crate) fault: Fault,
    /// The fault that is injected now.
    pub(crate) injected: Mutex<Option<Fault>>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    /// The name in the path of a control.
    pub(crate) id: &'static str,
    pub(crate) script: Script,
    pub(crate) description: &'static str,
}

struct Command {
    upstream: usize,
    fault: Option<Fault>,
    done: oneshot::Sender<io::Result<()>>,
}

/// The queue of the commands that [`DemoControls`] sends. It executes one at a time.
pub(crate) struct CommandQueue(mpsc::Receiver<Command>);

/// The reason why a command was not executed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum CommandError {
    UnknownUpstream,
    UnknownFault,
    /// Too many commands are waiting.
    Busy,
    ShuttingDown,
    /// The upstream could not listen again.
    Listen,
}

impl DemoUpstream {
    pub(super) fn fault_injected(&self) -> bool {
        self.injected().is_some()
    }

    fn injected(&self) -> Option<Fault> {
        *self.injected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn behavior(&self) -> &'static str {
        self.injected().map_or("returns 200", |fault| fault.description)
    }
}

impl DemoControls {
    /// Creates the controls. The background load is enabled, so that the page shows traffic.
    pub(crate) fn new(
        upstreams: Vec<DemoUpstream>,
        common_faults: &'static [Fault],
    ) -> (Self, CommandQueue) {
        let (commands, queue) = mpsc::channel(MAX_WAITING_COMMANDS);
        let [load_test_running, background_load] = [true, true].map(AtomicBool::new);
        (
            Self { upstreams, common_faults, commands, load_test_running, background_load },
            CommandQueue(queue),
        )
    }

    /// Enables the controls, which are disabled during the load test.
    pub(crate) fn finish_load_test(&self) {
        self.load_test_running.store(false, Ordering::Relaxed);
    }

    pub(super) fn load_test_running(&self) -> bool {
        self.load_test_running.load(Ordering::Relaxed)
    }

    pub(crate) fn background_load(&self) -> bool {
        self.background_load.load(Ordering::Relaxed)
    }

    pub(super) fn set_background_load(&self, enabled: bool) {
        self.background_load.store(enabled, Ordering::Relaxed);
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.upstreams.iter().map(|upstream| upstream.name)
    }

    pub(super) fn find(&self, name: &str) -> Option<(usize, &DemoUpstream)> {
        self.upstreams.iter().enumerate().find(|(_, upstream)| upstream.name == name)
    }

    pub(super) fn common_faults(&self) -> &'static [Fault] {
        self.common_faults
    }

    /// Injects a fault by its id, and waits until it takes effect. `None` is the upstream's own.
    pub(super) async fn inject_fault(
        &self,
        name: &str,
        fault: Option<&str>,
    ) -> Result<(), CommandError> {
        let (upstream, demo) = self.find(name).ok_or(CommandError::UnknownUpstream)?;
        let fault = match fault {
            None => demo.fault,
            Some(id) => {
                let fault = self.common_faults.iter().find(|fault| fault.id == id);
                *fault.ok_or(CommandError::UnknownFault)?
            }
        };
        self.set_fault(upstream, Some(fault)).await
    }

    /// Clears the fault of an upstream, and waits until it takes effect.
    pub(super) async fn clear_fault(&self, name: &str) -> Result<(), CommandError> {
        let (upstream, _) = self.find(name).ok_or(CommandError::UnknownUpstream)?;
        self.set_fault(upstream, None).await
    }

    async fn set_fault(&self, upstream: usize, fault: Option<Fault>) -> Result<(), CommandError> {
        let (done, result) = oneshot::channel();
        let sent = self.commands.try_send(Command { upstream, fault, done });
        sent.map_err(|error| match error {
            TrySendError::Full(_) => CommandError::Busy,
            TrySendError::Closed(_) => CommandError::ShuttingDown,
        })?;
        let result = result.await.map_err(|_| CommandError::ShuttingDown)?;
        result.map_err(|_| CommandError::Listen)
    }
}

impl CommandQueue {
    /// Executes commands until all senders are dropped.
    pub(crate) async fn run(mut self, controls: Arc<DemoControls>, mut origins: Vec<Origin>) {
        while let Some(Command { upstream, fault, done }) = self.0.recv().await {
            let demo_upstream = &controls.upstreams[upstream];
            let script = fault.map_or(Script::Healthy, |fault| fault.script);
            let result = origins[upstream].set_script(script).await;
            *demo_upstream.injected.lock().unwrap_or_else(PoisonError::into_inner) = fault;
            // Ignores a disconnected client.
            let _ = done.send(result);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio_test::{assert_pending, assert_ready_eq, task};

    use super::*;

    #[test]
    fn command_is_refused_when_eight_are_waiting() {
        let fault = Fault { id: "own", script: Script::Healthy, description: "" };
        let upstream = DemoUpstream { name: "a", fault, injected: None.into() };
        let (controls, queue) = DemoControls::new(vec![upstream], &[]);
        let mut waiting: Vec<_> =
            (0..8).map(|_| task::spawn(controls.inject_fault("a", None))).collect();
        for command in &mut waiting {
            assert_pending!(command.poll());
        }
        assert_ready_eq!(
            task::spawn(controls.inject_fault("a", None)).poll(),
            Err(CommandError::Busy)
        );
        drop(queue);
        let closed = Err(CommandError::ShuttingDown);
        assert_ready_eq!(task::spawn(controls.inject_fault("a", None)).poll(), closed);
    }
}
