//! The controls of the demo: fault injection and background load.

use std::{
    io,
    sync::{
        Arc,
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
    commands: mpsc::Sender<Command>,
    load_test_running: AtomicBool,
    background_load: AtomicBool,
}

/// A demo upstream with a fault that can be injected.
#[derive(Debug)]
pub(crate) struct DemoUpstream {
    pub(crate) name: &'static str,
    pub(crate) fault: Fault,
    pub(crate) fault_injected: AtomicBool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    pub(crate) script: Script,
    pub(crate) description: &'static str,
}

struct Command {
    upstream: usize,
    inject_fault: bool,
    done: oneshot::Sender<io::Result<()>>,
}

/// The queue of the commands that [`DemoControls`] sends. It executes one at a time.
pub(crate) struct CommandQueue(mpsc::Receiver<Command>);

/// The reason why a command was not executed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum CommandError {
    UnknownUpstream,
    /// Too many commands are waiting.
    Busy,
    ShuttingDown,
    /// The upstream could not listen again.
    Listen,
}

impl DemoUpstream {
    pub(super) fn fault_injected(&self) -> bool {
        self.fault_injected.load(Ordering::Relaxed)
    }

    pub(super) fn behavior(&self) -> &'static str {
        if self.fault_injected() { self.fault.description } else { "returns 200" }
    }
}

impl DemoControls {
    pub(crate) fn new(upstreams: Vec<DemoUpstream>) -> (Self, CommandQueue) {
        let (commands, queue) = mpsc::channel(MAX_WAITING_COMMANDS);
        let [load_test_running, background_load] = [true, false].map(AtomicBool::new);
        (Self { upstreams, commands, load_test_running, background_load }, CommandQueue(queue))
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

    /// Injects or clears an upstream's fault, and waits until it takes effect.
    pub(super) async fn set_fault(
        &self,
        name: &str,
        inject_fault: bool,
    ) -> Result<(), CommandError> {
        let (upstream, _) = self.find(name).ok_or(CommandError::UnknownUpstream)?;
        let (done, result) = oneshot::channel();
        let sent = self.commands.try_send(Command { upstream, inject_fault, done });
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
        while let Some(Command { upstream, inject_fault, done }) = self.0.recv().await {
            let demo_upstream = &controls.upstreams[upstream];
            let script = if inject_fault { demo_upstream.fault.script } else { Script::Healthy };
            let result = origins[upstream].set_script(script).await;
            demo_upstream.fault_injected.store(inject_fault, Ordering::Relaxed);
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
        let fault = Fault { script: Script::Healthy, description: "" };
        let upstream = DemoUpstream { name: "a", fault, fault_injected: false.into() };
        let (controls, queue) = DemoControls::new(vec![upstream]);
        let mut waiting: Vec<_> =
            (0..8).map(|_| task::spawn(controls.set_fault("a", true))).collect();
        for command in &mut waiting {
            assert_pending!(command.poll());
        }
        assert_ready_eq!(
            task::spawn(controls.set_fault("a", true)).poll(),
            Err(CommandError::Busy)
        );
        drop(queue);
        let closed = Err(CommandError::ShuttingDown);
        assert_ready_eq!(task::spawn(controls.set_fault("a", true)).poll(), closed);
    }
}
