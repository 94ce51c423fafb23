"""`make bench`: every bench in one run, so that its ratios are of the same machine."""

import platform

import torch

from bench import coverage, embedding, explore, results, results_page, search, stimuli, training

print(f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}\n")
for part in (training, embedding, search, explore, stimuli, results, results_page, coverage):
    part.main()
    print()
