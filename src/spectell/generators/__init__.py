"""Networks that make images, and what imitates their traces.

Nothing is imported here: `autoencoder`, `superresolution` and `tensors` need torch, the others only NumPy and SciPy.
"""
