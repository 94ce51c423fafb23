"""The answer store: one database, append-only where answers are concerned."""

from listening_test.store.database import Store, address, open_store, shared_store

__all__ = ["Store", "address", "open_store", "shared_store"]
