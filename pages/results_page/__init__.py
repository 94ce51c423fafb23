"""Results: what listeners' answers mean, from the demo's, a study's, or an uploaded export.

Not called ``results``: Streamlit puts the folder of its script before all others when it looks
for modules, and would take this package for the one that it shows.
"""

from pages.results_page.screen import page

__all__ = ["page"]
