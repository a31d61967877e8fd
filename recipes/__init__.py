"""Recipes: how what ships was trained; run from a checkout, not installed."""
