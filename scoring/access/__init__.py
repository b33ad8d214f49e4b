"""Who may ask, who asked, and what a lender is told.

Keys and sessions, the log of who read or changed what and the notes outside that bear it out, consents of
subjects, and the checks that rest on them. May touch: its own tables and what runs have published.
"""
