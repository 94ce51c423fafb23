"""Networks that turn log-mel segments into embeddings."""

from csn.networks.csn import Encoder, EncoderSettings, normalise_subspaces

__all__ = ["Encoder", "EncoderSettings", "normalise_subspaces"]
