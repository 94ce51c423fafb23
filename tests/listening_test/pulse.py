"""A sound device for tests: a PulseAudio server with a null sink, and what it was given."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

CHANNELS = 4
RATE = 48_000
NAMES = "front-left,front-right,rear-left,rear-right"
REPOSITORY = Path(__file__).resolve().parents[2]


class Pulse:
    """The server; ``run`` plays with it as PortAudio's only device, ``recording`` listens.

    PortAudio looks for its system once in a process, so players run in processes of their own.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        socket = folder / "socket"
        self.environment = os.environ | {
            "HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "STEMWISE_HOME": str(folder),
            "PULSE_RUNTIME_PATH": str(folder), "PULSE_SERVER": f"unix:{socket}",
            "PYTHONPATH": str(REPOSITORY),
        }  # fmt: skip
        without = {k: v for k, v in self.environment.items() if k != "PULSE_SERVER"}
        self.server = subprocess.Popen(
            [
                "pulseaudio", "-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1",
                "--realtime=no", "--high-priority=no",
                f"--load=module-native-protocol-unix socket={socket} auth-anonymous=1",
                f"--load=module-null-sink sink_name=lab rate={RATE} channels={CHANNELS} "
                f"format=float32le channel_map={NAMES}",
            ],
            env=without, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._wait()
        # Somebody who plays silence all the time keeps the sink going; an idle one would render
        # a second in advance, and rewind it under the recorder when a player comes.
        self._silence = subprocess.Popen(
            [
                "pacat", "--playback", "--device=lab", "--format=float32le", f"--rate={RATE}",
                f"--channels={CHANNELS}", f"--channel-map={NAMES}", "--latency-msec=20", "--raw",
                "/dev/zero",
            ],
            env=self.environment, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def _wait(self) -> None:
        for _ in range(100):
            asked = subprocess.run(
                ["pactl", "info"], env=self.environment, capture_output=True, check=False
            )
            if asked.returncode == 0:
                return
            time.sleep(0.1)
        raise RuntimeError("PulseAudio did not start")

    def settle(self) -> None:
        """Wait until what the sink rendered in advance, while it was idle, has gone by.

        Till then a player's first samples are taken at once, and the others seconds later.
        """
        for _ in range(200):
            sinks = subprocess.run(
                ["pactl", "list", "sinks"], env=self.environment | {"LC_ALL": "C"},
                capture_output=True, text=True, check=True,
            ).stdout  # fmt: skip
            (latency,) = re.findall(r"Latency: (\d+) usec", sinks)
            if "State: RUNNING" in sinks and int(latency) < 20_000:
                return
            time.sleep(0.05)
        raise RuntimeError("PulseAudio's sink did not settle")

    def run(self, code: str, *arguments: object) -> str:
        """What a Python script prints that plays to the server."""
        done = subprocess.run(
            [sys.executable, "-c", code, *map(str, arguments)],
            env=self.environment, capture_output=True, text=True, timeout=100, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    @contextmanager
    def recording(self) -> Iterator[list[np.ndarray]]:
        """Record; the list holds [samples, 4] float32 at 48,000 Hz once the block is left."""
        file = self.folder / "recorded.raw"
        recorded: list[np.ndarray] = []
        recorder = subprocess.Popen(
            [
                "parec", "--device=lab.monitor", "--format=float32le", f"--rate={RATE}",
                f"--channels={CHANNELS}", f"--channel-map={NAMES}", "--latency-msec=50", "--raw",
                str(file),
            ],
            env=self.environment,
        )  # fmt: skip
        try:
            time.sleep(0.5)
            yield recorded
            time.sleep(0.5)
        finally:
            recorder.send_signal(signal.SIGTERM)
            recorder.wait(10)
        recorded.append(np.fromfile(file, np.float32).reshape(-1, CHANNELS))

    def close(self) -> None:
        self._silence.kill()
        self._silence.wait(10)
        self.server.kill()
        self.server.wait(10)


def start(folder: Path) -> Pulse:
    """A server of its own in a folder; skips where there is none, but never in CI."""
    missing = [name for name in ("pulseaudio", "pactl", "parec") if shutil.which(name) is None]
    if missing and "CI" not in os.environ:
        pytest.skip(f"{', '.join(missing)} not installed; .ci/run lists the packages")
    server = Pulse(folder)
    server.settle()
    return server
