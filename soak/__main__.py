"""`make soak`: what bad files and faults do (nothing), and how long many people wait."""

import argparse
import sys

from soak import faults, files, people

asked = argparse.ArgumentParser(prog="python -m soak", description=__doc__)
asked.add_argument("--quick", action="store_true", help="a minute's rehearsal, proving little")
quick = asked.parse_args().quick

good = files.main(90, 1) if quick else files.main()
print()
good &= faults.main(12, 4, 1, 3.0) if quick else faults.main()
print()
good &= people.main(20, 2) if quick else people.main()
sys.exit(0 if good else 1)
