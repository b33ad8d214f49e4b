"""How answers are made, whatever they say: problem details, pages of a listing, fields, streams, OpenAPI.

Knows requests, and no resource.
"""
