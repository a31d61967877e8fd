"""Weights that come with the package; each file carries its card, with the licence, in its header."""
