"""The facts as columns: a typed copy of the versions in Parquet, beside the store, that follows them.

The versions in the store are the truth. The copy holds all of them, those that ended too, so that it answers
for any moment; it is brought up to date before it is read, at the cost of what is new, and can be deleted at
any time. What can't be trusted (a file that is not as it was written, another store's copy, sums that are
not the store's) is made anew; where there can't be a copy, the store is read.

- :mod:`~scoring.facts.columns.place`: where it lies; its files, its locks, and the manifest that says what it
  is;
- :mod:`~scoring.facts.columns.follow`: making it, and bringing it up to date;
- :mod:`~scoring.facts.columns.parts`: how versions lie in files;
- :mod:`~scoring.facts.columns.load`: reading it.
"""

from scoring.facts.columns.load import ORPHANS, Facts, load_columns
from scoring.facts.columns.place import ColumnsError, Sum

__all__ = ["ORPHANS", "ColumnsError", "Facts", "Sum", "load_columns"]
