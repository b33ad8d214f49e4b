"""What those who write rules work with: lint, differences of versions, the rule book, the one layout.

No grade comes from here, and nothing but the command line and the pages uses it.
"""
