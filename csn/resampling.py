"""Change the sample rate of a block of sound: torchaudio's windowed sinc, at any pair of rates.

Rates enter as the shortest whole numbers of their ratio: p frames in last as long as q samples
out, e.g. 320 and 147 for 48,000 Hz to 22,050 Hz.
"""

import math
from functools import lru_cache
from typing import Any, Final

import numpy as np

_LOBES: Final = 6  # zero crossings on each side of the sinc: torchaudio's default
_ROLLOFF: Final = 0.99  # of the lower Nyquist frequency: torchaudio's default
_TABLE: Final = 1 << 20  # largest p * q for which a filter is kept for every one of q phases
_OUTPUTS: Final = 16  # samples made by one product; the fastest of 1 ... 64
_PHASES: Final = 8192  # filters per input frame where that many phases are too many
_ROWS: Final = 1 << 15  # samples made at once there


def reach(p: int, q: int) -> int:
    """How many input frames the filter sees on each side of an output sample."""
    return math.ceil(_LOBES * p / (min(p, q) * _ROLLOFF))


def resample(audio: np.ndarray, p: int, q: int) -> np.ndarray:
    """Resample; the first output sample falls on the first input frame, outside is silence.

    Args:
        audio: [n] float32.
        p: input frames in a period, ``p / q`` the ratio of the rates in lowest terms.
        q: output samples in a period.

    Returns:
        [ceil(n * q / p)] float32.
    """
    if p * q > _TABLE:
        return _resample_odd(audio, p, q)
    import torch  # noqa: PLC0415
    from torch.nn.functional import conv1d, pad  # noqa: PLC0415

    filters, width, stride = _filters(p, q)
    with torch.inference_mode():
        padded = pad(torch.from_numpy(audio)[None], (width, width + stride))
        samples: np.ndarray = conv1d(padded, filters, stride=stride).T.reshape(-1).numpy()
    return samples[: -(-len(audio) * q // p)]


@lru_cache(maxsize=32)
def _filters(p: int, q: int) -> tuple[Any, int, int]:
    """Torchaudio's filters, [outputs, 1, taps], their reach in frames, and the step in frames.

    Made once, since making them is slow. Where q is small (2 : 1), the filters of many periods
    stand side by side, which makes one matrix product of many small ones: 2.5 times as fast.
    Torch is imported here because reading headers, which many processes do, needs none of it.
    """
    import torch  # noqa: PLC0415
    from torchaudio.transforms import Resample  # noqa: PLC0415

    one = Resample(p, q)
    taps = one.kernel.shape[-1]
    periods = max(_OUTPUTS // q, 1)
    filters = torch.zeros(periods * q, 1, taps + p * (periods - 1))
    for k in range(periods):
        filters[k * q : (k + 1) * q, :, k * p : k * p + taps] = one.kernel
    return filters, one.width, p * periods


def _resample_odd(audio: np.ndarray, p: int, q: int) -> np.ndarray:
    """The same filter where the rates (44,099 Hz, say) share no period of a practical length.

    A table for each of the q phases would need gigabytes. Here the filter is looked up at the
    nearest of 8,192 phases, an error of about -80 dB.
    """
    taps, margin = _phases(p, q), reach(p, q)
    position = np.arange(-(-len(audio) * q // p), dtype=np.int64) * p
    index, phase = position // q, np.rint(position % q * (_PHASES / q)).astype(np.intp)
    padded = np.pad(audio, (margin, margin + 1))
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * margin + 1)
    answer = np.empty(len(position), np.float32)
    for done in range(0, len(answer), _ROWS):
        part = slice(done, done + _ROWS)
        answer[part] = np.einsum("nt,nt->n", windows[index[part]], taps[phase[part]])
    return answer


@lru_cache(maxsize=4)
def _phases(p: int, q: int) -> np.ndarray:
    """The filters of all phases, [8193, 2 * reach + 1] float32."""
    cutoff = min(1.0, q / p) * _ROLLOFF  # as a fraction of the input's Nyquist frequency
    frames = np.arange(-reach(p, q), reach(p, q) + 1)
    t = (frames - np.arange(_PHASES + 1)[:, None] / _PHASES) * cutoff
    window = np.cos(np.pi / 2 * np.clip(t / _LOBES, -1, 1)) ** 2
    filters: np.ndarray = (np.sinc(t) * window * cutoff).astype(np.float32)
    return filters
