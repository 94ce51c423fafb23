"""The Model page: what a model was trained on, how well it hears, and where it fails."""

from pages.model.screen import page

__all__ = ["page"]
