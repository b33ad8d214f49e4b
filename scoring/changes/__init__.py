"""Others are told: the feed of changes, who is subscribed, messages to receivers, and proof of who was told.

May touch: its own tables and what runs, facts and consents say. It changes none of these.
"""
