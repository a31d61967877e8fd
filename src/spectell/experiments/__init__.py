"""The paper's tables and figures on anybody's images: one for each, and what they share.

An experiment is a plan that can be printed before anything is computed, and a run that writes a page, its figures and
a record from which it can be repeated.
"""
