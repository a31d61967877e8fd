"""Rows of a scan on disk: written whole or not at all, in three formats, and found again."""
