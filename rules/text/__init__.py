"""A pack's text: YAML of which every value knows its place, and the shape that it must have.

What comes out is plain data, checked value by value; what the names in it mean is :mod:`rules.meaning`'s.
Others use :class:`~rules.text.source.Document` and the schemas of :mod:`rules.text.shape`.
"""
