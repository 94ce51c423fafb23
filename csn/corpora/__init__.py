"""Corpora: readers of what exists (slakh, stems, mixes) and makers of what does not (compose)."""
