"""The operational store: facts with their versions, packs, and published runs, in SQLite or PostgreSQL."""

from scoring.store.connection import Store, accompany_changes, create_store, open_store
from scoring.store.errors import StoreError

__all__ = ["Store", "StoreError", "accompany_changes", "create_store", "open_store"]
