"""A gateway as a child process, with its own configuration file."""

import json
import os
import re
import signal
import subprocess
import tempfile
import threading
import time

API_KEY = "sk-upstream-SECRET-4711"
PROGRAM = None


class Gateway:
    def __init__(self, config, log="info", **env):
        self.folder = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.folder.name, "llm.toml")
        self.write_config(config)
        self.process = subprocess.Popen(
            [PROGRAM, "--config", self.path, "--listen", "127.0.0.1:0", "--log", "json"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={"PATH": os.environ["PATH"], "RUST_LOG": log, "KEY": API_KEY, **env},
        )
        # A full pipe would block the gateway.
        self.stderr_lines = []
        self.reader = threading.Thread(target=self.read_stderr)
        self.reader.start()
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError("".join(self.stderr_lines))
        self.url = re.fullmatch(r"listening on (\S+)\n", line).group(1)

    def read_stderr(self):
        for line in self.process.stderr:
            self.stderr_lines.append(line)

    def write_config(self, config):
        with open(self.path, "w") as file:
            file.write(config)

    def reload(self):
        """Sends SIGHUP. Returns the message about the result."""
        start = len(self.stderr_lines)
        self.process.send_signal(signal.SIGHUP)
        for _ in range(500):
            for event in map(json.loads, self.stderr_lines[start:]):
                message = event["fields"]["message"]
                if message.startswith("reloaded ") or message.endswith("stays in force"):
                    return message
            time.sleep(0.02)
        raise AssertionError("no report of the reload")

    def wait_for_log(self, text):
        for _ in range(500):
            if any(text in line for line in self.stderr_lines):
                return
            time.sleep(0.02)
        raise AssertionError(f"{text} is not in {self.log}")

    @property
    def log(self):
        return "".join(self.stderr_lines)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=20)
        self.reader.join()
        self.process.stdout.close()
        self.process.stderr.close()
        self.folder.cleanup()


def service(name, *upstreams, key='api_key_env = "KEY"'):
    return f'[[service]]\nname = "{name}"\n' + "".join(
        f'[[service.upstream]]\nurl = "{upstream}"\n{key}\n' for upstream in upstreams)


POLICY = "[policy]\nany_method = true\n"
