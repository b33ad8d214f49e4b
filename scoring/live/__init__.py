"""Live events: what one record changes, at once. durable_rules matches, Python counts, the store keeps."""
