import platform
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from csn.errors import ModelError
from csn.features import FeatureSettings
from csn.model import Model, ModelSettings, has_bf16, lower_precision
from csn.networks import EncoderSettings

CPUINFO = Path("/proc/cpuinfo")
SETTINGS = ModelSettings(
    FeatureSettings(sample_rate=11025),
    EncoderSettings(channels=(2, 4, 4, 8, 8, 16), pooling="mean+deviation", normalise=True),
)


def _sound(seconds: float) -> np.ndarray:
    generator = np.random.default_rng(0)
    return generator.normal(0, 0.1, int(seconds * 11025)).astype(np.float32)


def test_saved_and_loaded_models_embed_alike(tmp_path: Path) -> None:
    model = Model.untrained(SETTINGS, seed=3)
    model.card["note"] = "made in a test"
    sound, starts = _sound(8), np.array([0.0, 1.5, 5.0])
    for half, tolerance in ((False, 0.0), (True, 5e-3)):
        file = tmp_path / f"{half}.safetensors"
        model.save(file, half=half)
        again = Model.load(file, device="cpu")
        assert again.settings == SETTINGS
        assert again.card["note"] == "made in a test"
        assert again.hash == model.hash
        np.testing.assert_allclose(
            again.embed(sound, starts, 3.0), model.embed(sound, starts, 3.0), atol=tolerance
        )
    assert Model.untrained(SETTINGS, seed=4).hash != model.hash


def test_slices_of_one_spectrogram_embed_as_segments_do() -> None:
    model = Model.untrained(SETTINGS, seed=1)
    sound = _sound(200.0)  # several blocks of the spectrogram
    starts = np.array([0.0, 62.3, 150.0, 197.0])
    together = model.embed(sound, starts, 3.0)
    assert together.shape == (4, 640) and together.dtype == np.float32
    for start, row in zip(starts, together, strict=True):
        hop = model.settings.features.hop
        at = round(start * 11025 / hop) * hop
        # Two frames of margin each side, so that only the segment's own frames are compared.
        alone = model.log_mel(sound[max(at - 4 * hop, 0) : at + 3 * 11025 + 4 * hop])
        skip = min(at // hop, 4)
        width = model.settings.features.frames(3.0)
        with torch.inference_mode():
            mel = alone[None, None, :, skip : skip + width]
            expected = model.encoder(mel.float())[0].numpy()
        cosine = (expected.reshape(5, 128) * row.reshape(5, 128)).sum(1)
        assert cosine.min() > 0.99  # bf16 against fp32


def test_older_models_keep_their_settings_and_identity() -> None:
    older = SETTINGS.to_json()
    assert "pooled" not in older["encoder"]
    assert ModelSettings.from_json(older) == SETTINGS
    newer = replace(SETTINGS, encoder=replace(SETTINGS.encoder, pooled=4))
    assert ModelSettings.from_json(newer.to_json()) == newer
    assert newer.to_json() != older


@pytest.mark.parametrize(
    ("able", "quick"),
    [
        ({"architecture": "x86_64", "avx512_f": True, "avx512_bf16": False}, False),
        ({"architecture": "x86_64", "avx512_bf16": True, "amx_bf16": False}, True),
        ({"architecture": "x86_64", "avx512_bf16": False, "amx_bf16": True}, True),
        ({"architecture": "aarch64"}, True),
    ],
)
def test_bf16_is_used_where_the_processor_has_it(
    able: dict[str, object], quick: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: True)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: able)
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: True)
    with lower_precision(torch.device("cpu")):
        assert torch.is_autocast_enabled("cpu") is quick
        product = torch.ones(2, 2) @ torch.ones(2, 2)
    assert product.dtype == (torch.bfloat16 if quick else torch.float32)


def test_a_gpu_that_only_converts_is_not_asked_for_bf16(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        torch.cuda, "is_bf16_supported", lambda including_emulation=True: including_emulation
    )
    assert not has_bf16(torch.device("cuda"))


@pytest.mark.skipif(platform.machine() != "x86_64" or not CPUINFO.is_file(), reason="Linux on x86")
def test_bf16_agrees_with_what_the_system_says() -> None:
    flags = set(re.findall(r"\bavx512_bf16\b|\bamx_bf16\b", CPUINFO.read_text()))
    assert has_bf16(torch.device("cpu")) is bool(flags)


def test_unit_subspaces() -> None:
    embedded = Model.untrained(SETTINGS).embed(_sound(4), np.array([0.0]), 3.0)
    np.testing.assert_allclose(
        np.linalg.norm(embedded.reshape(5, 128), axis=1), np.ones(5), rtol=1e-4
    )


def test_segments_outside_the_recording_are_refused() -> None:
    with pytest.raises(ModelError, match="do not fit"):
        Model.untrained(SETTINGS).embed(_sound(4), np.array([2.0]), 3.0)


def test_no_segments_embed_to_nothing() -> None:
    assert Model.untrained(SETTINGS).embed(_sound(1), np.array([]), 3.0).shape == (0, 640)


def test_a_flat_spectrum_of_random_weights_differs_by_seed_only() -> None:
    state = torch.get_rng_state()
    Model.untrained(SETTINGS, seed=9)
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize("kind", ["missing", "text", "truncated", "foreign", "weights", "future"])
def test_bad_files_get_one_sentence(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    model = Model.untrained(SETTINGS)
    if kind == "text":
        file.write_text("not a model")
    elif kind == "truncated":
        model.save(file)
        file.write_bytes(file.read_bytes()[:-1000])
    elif kind == "foreign":
        save_file({"weight": torch.zeros(2)}, file)
    elif kind == "weights":
        bigger = replace(SETTINGS, encoder=EncoderSettings())
        broken = Model.untrained(SETTINGS)
        broken.settings = bigger
        broken.save(file)
    elif kind == "future":
        broken = Model.untrained(SETTINGS)
        broken.settings = replace(SETTINGS, instruments=("drums", "bass", "vocals"))
        broken.save(file)
    with pytest.raises(ModelError) as caught:
        Model.load(file)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)
