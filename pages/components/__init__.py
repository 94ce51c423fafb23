"""What Streamlit has no widget for: a Python declaration with its HTML, CSS and JavaScript."""
