"""Joint inspections planned from tiers: one visit a month at most, drawn at random, provably within caps."""
