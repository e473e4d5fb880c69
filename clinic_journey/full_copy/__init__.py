"""Everything that is held about one patient, in one file: a copy is her right (standards.md 4.1, rule 12)."""
