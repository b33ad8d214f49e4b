"""What the batch costs: against the scan of its data, the best query by hand, and other rule engines."""
