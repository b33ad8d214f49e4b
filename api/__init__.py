"""The HTTP API: who may ask for what, and the thin resources that answer."""
