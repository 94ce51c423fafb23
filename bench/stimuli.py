"""Loudness and true peaks of the papers' studies on the demo, and how long they take to make."""

import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from listening_test.prepare import prepare
from listening_test.study import CSN_TABLE_3, IND_TABLE_4
from listening_test.writing import summary


def main() -> None:
    print("Stimuli of the papers' studies on the demo, measured on the decoded files")
    for title, preset in (("CSN, table 3", CSN_TABLE_3), ("IND, table 4", IND_TABLE_4)):
        with TemporaryDirectory() as folder:
            began = time.perf_counter()
            prepared = prepare(replace(preset, headphones="recorded"), Path(folder))
            seconds = time.perf_counter() - began
            found = summary(prepared)
            size = sum(sound.bytes for sound in prepared.sounds)
        print(
            f"  {title}: {sum(not t.practice for t in prepared.triplets)} triplets, "
            f"{found.excerpts} excerpts at {found.mean:.2f} LUFS (aim {found.target:.1f}), "
            f"spread {found.spread:.3f} LU, highest true peak {found.true_peak:.2f} dBTP, "
            f"{len(prepared.refusals)} refusals, {size / 1e6:.0f} MB, {seconds:.0f} s"
        )


if __name__ == "__main__":
    main()
