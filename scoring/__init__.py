"""Engines, batches, the store, ingest and the command line of Xinheng."""
