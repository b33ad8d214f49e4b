"""Judging: from facts and a pack to grades as timelines."""
