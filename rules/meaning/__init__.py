"""The second pass over a pack: names, types, conditions and references, all faults at once."""

from rules.meaning.pack import build_pack
from rules.meaning.vocabulary import build_vocabulary

__all__ = ["build_pack", "build_vocabulary"]
