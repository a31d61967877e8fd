"""Spectell."""
