"""A gateway that runs, with a file of its own."""

import os
import re
import signal
import subprocess
import tempfile
import threading
import time

KEY = "sk-upstream-SECRET-4711"
PROGRAM = None


class Gateway:
    def __init__(self, config, log="info", **env):
        self.folder = tempfile.TemporaryDirectory()
        self.file = os.path.join(self.folder.name, "llm.toml")
        self.write(config)
        self.child = subprocess.Popen(
            [PROGRAM, "--config", self.file, "--listen", "127.0.0.1:0", "--log", "json"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={"PATH": os.environ["PATH"], "RUST_LOG": log, "KEY": KEY, **env},
        )
        # As soon as there is more than a pipe holds, nobody reading it would stop the gateway.
        self.lines = []
        self.reader = threading.Thread(target=self.read)
        self.reader.start()
        line = self.child.stdout.readline()
        if not line:
            raise AssertionError("".join(self.lines))
        self.url = re.fullmatch(r"listening on (\S+)\n", line).group(1)

    def read(self):
        for line in self.child.stderr:
            self.lines.append(line)

    def write(self, config):
        with open(self.file, "w") as file:
            file.write(config)

    def read_again(self):
        """The line that it says."""
        seen = len(self.lines)
        self.child.send_signal(signal.SIGHUP)
        for _ in range(500):
            said = [line for line in self.lines[seen:] if not line.startswith("{")]
            if said:
                return said[0]
            time.sleep(0.02)
        raise AssertionError("it said nothing")

    def until_logged(self, text):
        for _ in range(500):
            if any(text in line for line in self.lines):
                return
            time.sleep(0.02)
        raise AssertionError(f"{text} is not in {self.log}")

    @property
    def log(self):
        return "".join(self.lines)

    def stop(self):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            self.child.wait(timeout=20)
        self.reader.join()
        self.child.stdout.close()
        self.child.stderr.close()
        self.folder.cleanup()


def service(name, *upstreams, key='api_key_env = "KEY"'):
    return f'[[service]]\nname = "{name}"\n' + "".join(
        f'[[service.upstream]]\nurl = "{upstream}"\n{key}\n' for upstream in upstreams)


POLICY = "[policy]\nany_method = true\n"
