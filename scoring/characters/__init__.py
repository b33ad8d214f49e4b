"""Characters that take effect where they are shown: hidden ones, and those that a spreadsheet would run.

Knows no room of the program.
"""
