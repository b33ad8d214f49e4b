"""Backups: a store, as it is at one moment, as a directory of files; and such a directory as a store again.

- :mod:`~scoring.store.backups.manifest`: what a backup says of itself, and whether it is as it was written;
- :mod:`~scoring.store.backups.sqlite`, :mod:`~scoring.store.backups.postgresql`: the copy of a database, and
  its way back, each in one transaction;
- :mod:`~scoring.store.backups.backup`: both together.

What is not in it: secrets, which no store has in clear, and the columns beside the store, which are made anew
from it; see docs/operations.md.
"""

from scoring.store.backups.backup import back_up, read_backup, restore
from scoring.store.backups.manifest import BackupError, Manifest

__all__ = ["BackupError", "Manifest", "back_up", "read_backup", "restore"]
