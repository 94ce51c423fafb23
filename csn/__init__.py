"""The science of Stemwise: corpora, features, network, training, embeddings, maps, evaluation.

Data walks straight through this package, one file a step; see ``docs/HOUSE.md``. Nothing here
knows Streamlit, a database or a listener.
"""

__version__ = "0.1.0"
