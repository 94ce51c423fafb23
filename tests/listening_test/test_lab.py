"""Sound through PortAudio, recorded from the device and compared with the file."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf
from scipy.signal import correlate

from csn.playback import faded
from listening_test import lab
from listening_test.calibration import HIGHEST, KINDS, calibration
from listening_test.errors import LabError
from listening_test.lab import LabSettings, Player
from listening_test.playing import LATENCY
from listening_test.writing import write
from tests.listening_test.pulse import RATE, Pulse, start

PLAY = """
import json, sys, time
from pathlib import Path
from listening_test.lab import LabSettings, Player
files, options = sys.argv[1].split(","), json.loads(sys.argv[2])
plan = json.loads(sys.argv[3])
player, said = Player(LabSettings(**options)), []
def tell():
    state = player.state()
    said.append([time.monotonic() - began, state["playing"], state["position"]])
    return state["playing"] is not None
for k, wait in plan:
    player.play(Path(files[k]), str(k))
    began = time.monotonic()
    while tell() and time.monotonic() - began < wait:
        time.sleep(0.05)
tell()
player.stop()
heard = {k: player.heard(k) for k in map(str, range(len(files)))}
dropouts = sum(player.dropouts(k) for k in heard)
print(json.dumps([said, heard, player.state(), dropouts]))
"""


@pytest.fixture(scope="module")
def pulse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pulse]:
    server = start(tmp_path_factory.mktemp("pulse"))
    yield server
    server.close()


@pytest.fixture(scope="module")
def noises(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three files of noise, written as a study's: 2 s mono, 1.5 s mono, 1 s stereo."""
    folder = tmp_path_factory.mktemp("noises")
    rng = np.random.default_rng(7)
    for k, seconds in enumerate((2.0, 1.5)):
        sound = faded(0.2 * rng.standard_normal(round(seconds * RATE)), RATE)
        write(sound, RATE, folder / f"{k}.flac")
    write(0.2 * rng.standard_normal((RATE, 2)), RATE, folder / "2.flac")
    return [folder / f"{k}.flac" for k in range(3)]


def unbroken(pulse: Pulse, code: str, *arguments: object) -> tuple[Any, np.ndarray]:
    """What a script prints, less the drop-outs that it prints last, and the recording.

    A machine that stands still for longer than the device has samples lets it run dry, whatever
    the player does. Then the player says so, and the script is run again, twice at most.
    """
    for _ in range(3):
        with pulse.recording() as recorded:
            *said, dropouts = json.loads(pulse.run(code, *arguments))
        if dropouts == 0:
            return said, recorded[0]
    raise AssertionError(f"the device ran dry in each of three attempts, {dropouts} times at last")


def play(
    pulse: Pulse, files: list[Path], plan: list[tuple[int, float]], **options: object
) -> tuple[list[list[float]], dict[str, float], np.ndarray]:
    """Play files one after the other; states on the way, seconds heard, and the recording."""
    (said, heard, after), recorded = unbroken(
        pulse, PLAY, ",".join(map(str, files)), json.dumps(options), json.dumps(plan)
    )
    assert after["playing"] is None
    return said, heard, recorded


def placed(recorded: np.ndarray, sound: np.ndarray) -> int:
    """Where in a recording a sound begins, by correlation."""
    return int(np.argmax(correlate(recorded, sound, mode="valid", method="fft")))


def test_the_device_gets_the_file_sample_by_sample(pulse: Pulse, noises: list[Path]) -> None:
    """On outputs 3 and 4, 6 dB lower, every sample once and in its place; 1 and 2 are silent."""
    said, heard, recorded = play(pulse, noises, [(0, 10)], outputs=[3, 4], gain=-6.0)
    sound, _ = sf.read(noises[0], dtype="float32")
    expected = sound * np.float32(10 ** (-6 / 20))
    at = placed(recorded[:, 2], sound)
    for output in (2, 3):
        found = recorded[at : at + len(sound), output]
        assert np.abs(found - expected).max() < 1e-6
        assert not recorded[:at, output].any() and not recorded[at + len(sound) :, output].any()
    assert not recorded[:, :2].any()
    assert heard["0"] == pytest.approx(2.0, abs=1e-6)
    assert said[-1][1] is None


def test_the_position_is_that_of_the_device(pulse: Pulse, noises: list[Path]) -> None:
    said, _, _ = play(pulse, noises, [(0, 10)])
    playing = [(at, position) for at, key, position in said if key == "0"]
    positions = [position for _, position in playing]
    assert positions == sorted(positions) and positions[-1] > 1.7
    # It runs with the clock: one second of sound takes a second.
    middle = [(at, p) for at, p in playing if 0.4 < p < 1.6]
    slope = np.polyfit(*np.array(middle).T, 1)[0]
    assert slope == pytest.approx(1.0, abs=0.05)
    ended = next(at for at, key, _ in said if key is None)
    assert 2.0 < ended < 3.5


def test_stopping_fades_within_five_milliseconds(pulse: Pulse, noises: list[Path]) -> None:
    said, heard, recorded = play(pulse, noises, [(0, 0.8)])
    sound, _ = sf.read(noises[0], dtype="float32")
    at = placed(recorded[:, 0], sound[: RATE // 4])
    found = recorded[at:, 0]
    last = int(np.flatnonzero(found)[-1]) + 1
    fade = round(0.005 * RATE)
    assert np.abs(found[: last - fade] - sound[: last - fade]).max() < 1e-6  # till then as it is
    ramp = 0.5 + 0.5 * np.cos(np.pi * (np.arange(fade) + 0.5) / fade)
    misses = [  # the last sample or two of the fade round to nothing
        np.abs(found[end - fade : end] - sound[end - fade : end] * ramp).max()
        for end in range(last, last + 5)
    ]
    assert min(misses) < 1e-6
    # It stops at once, but for what waits in the device; and what was heard is what came out of
    # it, to within the time of one question.
    assert 0.5 < heard["0"] < said[-1][2] + LATENCY + 0.1
    assert heard["0"] == pytest.approx(last / RATE, abs=0.2)


def test_one_sound_at_a_time_and_each_from_its_start(pulse: Pulse, noises: list[Path]) -> None:
    _, heard, recorded = play(pulse, noises, [(0, 0.6), (1, 0.5), (0, 10)])
    first, _ = sf.read(noises[0], dtype="float32")
    second, _ = sf.read(noises[1], dtype="float32")
    left = recorded[:, 0]
    a = placed(left, first[: RATE // 4])
    b = placed(left, second[: RATE // 4])
    again = placed(left, first)
    assert min(a, again) + len(second) // 4 < b or a == again
    begins = sorted({placed(left[: b - 1], first[: RATE // 4]), b, again})
    assert len(begins) == 3
    for begin, sound in zip(begins, (first, second, first), strict=True):
        assert np.abs(left[begin : begin + RATE // 4] - sound[: RATE // 4]).max() < 1e-6
    assert not left[begins[1] - RATE // 20 : begins[1]].any()  # the first is out before
    assert heard["0"] == pytest.approx(2.0, abs=1e-6)  # the farther of both starts, not their sum
    assert 0.2 < heard["1"] < 1.0


def test_two_ears_stay_two_ears(pulse: Pulse, noises: list[Path]) -> None:
    _, _, recorded = play(pulse, noises, [(2, 10)], outputs=[4, 1])
    sound, _ = sf.read(noises[2], dtype="float32")
    at = placed(recorded[:, 3], sound[:, 0])
    assert np.abs(recorded[at : at + RATE, 3] - sound[:, 0]).max() < 1e-6
    assert np.abs(recorded[at : at + RATE, 0] - sound[:, 1]).max() < 1e-6
    assert not recorded[:, 1:3].any()


DRY = """
import json, os, signal, sys, time
from pathlib import Path
from listening_test.lab import LabSettings, Player
player, pid, said = Player(LabSettings()), int(sys.argv[2]), []
for key, dry in json.loads(sys.argv[3]):
    player.play(Path(sys.argv[1]), key)
    while player.state()["position"] < 0.5:
        time.sleep(0.02)
    if dry:
        os.kill(pid, signal.SIGSTOP)
        time.sleep(0.5)
        os.kill(pid, signal.SIGCONT)
    while player.state()["playing"]:
        time.sleep(0.02)
    said.append([player.dropouts("x"), player.dropouts("y")])
print(json.dumps(said))
"""


def run_dry(pulse: Pulse, file: Path, plan: list[tuple[str, bool]]) -> list[list[int]]:
    """Play a file to its end under these keys, the sound server standing still for half a second
    where the plan says so; the drop-outs of x and y after each."""
    said: list[list[int]] = json.loads(pulse.run(DRY, file, pulse.server.pid, json.dumps(plan)))
    return said


def test_a_device_that_runs_dry_is_noticed(pulse: Pulse, noises: list[Path]) -> None:
    with pulse.recording() as recorded:
        ((dropouts, _),) = run_dry(pulse, noises[0], [("x", True)])
    sound, _ = sf.read(noises[0], dtype="float32")
    quarter = RATE // 4
    begin = placed(recorded[0][:, 0], sound[:quarter])
    end = placed(recorded[0][:, 0], sound[-quarter:])
    assert end - begin > len(sound) - quarter + 0.1 * RATE  # there is silence in between
    assert dropouts >= 1


def test_dropouts_are_counted_by_sound(pulse: Pulse, noises: list[Path]) -> None:
    said = run_dry(pulse, noises[0], [("x", False), ("x", True), ("x", True), ("y", False)])
    whole, once, twice, other = said
    assert whole[0] < once[0] < twice[0] == other[0]  # all starts of a sound together
    assert whole[1] == once[1] == twice[1] == 0


CALIBRATE = """
import time
from listening_test.lab import LabSettings, Player
player = Player(LabSettings(gain=-10.0))
player.calibrate("sine", -20.0, "right")
time.sleep(2)
player.stop()
print([player.dropouts("calibration")])
"""


def test_the_calibration_tone_has_the_level_that_is_stated(pulse: Pulse) -> None:
    _, recorded = unbroken(pulse, CALIBRATE)
    left, right = recorded[:, 0], recorded[:, 1]
    begin = np.flatnonzero(right)[0] + RATE // 5
    steady = right[begin : begin + RATE]
    assert not left.any()
    assert 20 * np.log10(np.sqrt(2 * np.mean(steady**2))) == pytest.approx(-30.0, abs=0.01)
    assert np.argmax(np.abs(np.fft.rfft(steady))) == 1000


VANISH = """
import os, signal, sys, time
from pathlib import Path
from listening_test.errors import LabError
from listening_test.lab import LabSettings, Player
player = Player(LabSettings())
player.play(Path(sys.argv[1]), "x")
while player.state()["position"] < 0.5:
    time.sleep(0.05)
os.kill(int(sys.argv[2]), signal.SIGKILL)
until = time.monotonic() + 8
try:
    while time.monotonic() < until:
        player.state()
        time.sleep(0.05)
    print("nothing was noticed")
except LabError as error:
    print(error)
print(player.state()["playing"], 0.5 < player.heard("x") < 4, player.heard("x"))
try:
    player.play(Path(sys.argv[1]), "x")
except LabError as error:
    print(error)
"""


def test_a_device_that_vanishes_is_said_clearly(tmp_path: Path, noises: list[Path]) -> None:
    server = start(tmp_path)
    try:
        long = np.tile(sf.read(noises[0])[0], 8)
        write(long, RATE, tmp_path / "long.flac")
        said = server.run(VANISH, tmp_path / "long.flac", server.server.pid).splitlines()
    finally:
        server.close()
    assert said[0].startswith("The sound device has stopped; check that it is connected")
    assert said[1].startswith("None True"), said
    assert said[2].startswith(("This computer has no sound output", "The sound device"))


DEVICES = """
from listening_test.errors import LabError
from listening_test.lab import LabSettings, Player, devices
from pathlib import Path
import sys
for device in devices():
    print(device.name, device.outputs, device.default)
for options in ({"device": "Interface 7, ALSA"}, {"outputs": (1, 99)}):
    try:
        Player(LabSettings(**options)).play(Path(sys.argv[1]), "x")
    except LabError as error:
        print(error)
player = Player(LabSettings(device=devices()[0].name, outputs=(2,)))
player.play(Path(sys.argv[1]), "x")
print(devices()[0].name, player.state()["playing"])
player.close()
try:
    player.play(Path(sys.argv[2]), "stereo")
except LabError as error:
    print(error)
"""


def test_devices_are_named_and_wrong_ones_refused(pulse: Pulse, noises: list[Path]) -> None:
    said = pulse.run(DEVICES, noises[0], noises[2]).splitlines()
    assert "pulse, ALSA 32 False" in said and "default, ALSA 32 True" in said
    wrong, few, chosen, ears = said[-4:]
    assert wrong.startswith("The sound device 'Interface 7, ALSA' is not there; connect it or")
    assert "default, ALSA" in wrong
    assert few == "default, ALSA has 32 outputs, and no number 99."
    assert chosen.endswith(" x")  # asking for the devices did not stop what plays
    assert ears.startswith("This sound is for two ears")


def test_without_portaudio_everything_else_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import sys, listening_test.lab, listening_test.prepare; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "listening_test.lab" in loaded and "sounddevice" not in loaded
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(LabError, match=r"PortAudio is not installed .* apt install libportaudio2"):
        lab.devices()


def test_a_file_that_is_gone_is_one_sentence(tmp_path: Path) -> None:
    player = Player(LabSettings())
    with pytest.raises(LabError, match="cannot be read from the disk"):
        player.play(tmp_path / "gone.flac", "x")
    assert player.state() == {"playing": None, "position": 0.0}
    assert player.dropouts("x") == 0
    player.stop()
    player.close()


@pytest.mark.parametrize("kind", KINDS)
def test_calibration_sounds_have_their_level(kind: str) -> None:
    sound = calibration(kind, -23.0)
    steady = sound[RATE:-RATE]
    assert 20 * np.log10(np.sqrt(2 * np.mean(steady**2))) == pytest.approx(-23, abs=0.05)
    highest = calibration(kind, HIGHEST[kind])
    assert np.abs(highest).max() < 1.0  # nothing is cut off
    assert abs(sound[0]) < 1e-4 and abs(sound[-1]) < 1e-4
    with pytest.raises(LabError, match="must lie between"):
        calibration(kind, 0.0)


def test_settings_are_kept_and_the_measured_level_with_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEMWISE_HOME", str(tmp_path))
    assert lab.load() == LabSettings()
    settings = LabSettings("Fireface, ALSA", (3, 4), -12.0)
    assert settings.spl(-23.0) is None
    settings = settings.measured(66.0)  # the meter shows 66 dB while -23 dBFS play 12 dB lower
    assert settings.offset == pytest.approx(101.0)
    assert settings.spl(-23.0) == pytest.approx(66.0)
    assert replace(settings, gain=-6.0).spl(-23.0) == pytest.approx(72.0)
    lab.save(settings)
    assert lab.load() == settings
    assert [file.name for file in tmp_path.iterdir()] == ["lab.json"]
    (tmp_path / "lab.json").write_text('{"device": 3, "outputs": "left"}')
    with pytest.raises(LabError, match=r"lab\.json cannot be read"):
        lab.load()


@pytest.mark.parametrize(
    "options",
    [{"outputs": ()}, {"outputs": (1, 1)}, {"outputs": (0, 1)}, {"outputs": (1, 2, 3)},
     {"gain": 3.0}, {"gain": -100.0}, {"offset": float("nan")}],
)  # fmt: skip
def test_settings_that_make_no_sense(options: dict[str, object]) -> None:
    with pytest.raises(LabError):
        lab.save(LabSettings(**options))  # type: ignore[arg-type]
