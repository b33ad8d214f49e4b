"""What is known of subjects and records, and since when: the room that writes versions.

Rows come in by files (:mod:`~scoring.facts.ingest`) or one by one (:mod:`~scoring.facts.records`,
:mod:`~scoring.facts.one_record`); people settle them (:mod:`~scoring.facts.objections`,
:mod:`~scoring.facts.settling`) and take files back (:mod:`~scoring.facts.undo`). Judges read a moment of them
by :mod:`~scoring.facts.snapshot`, which the copy in :mod:`~scoring.facts.columns` serves. How a version comes
to be, :mod:`~scoring.facts.versions` and what it calls, is nobody else's. May touch: the store and the packs'
vocabularies; of the judges, how they spell values.
"""
