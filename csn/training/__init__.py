"""Training: recipes, stems as mel, the loop and its checkpoints."""
