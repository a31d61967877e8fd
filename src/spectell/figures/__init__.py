"""Arrays in, matplotlib Figures out. Nothing here shows or saves a figure, and matplotlib is imported when one is made.

Figures are made without pyplot: they belong to the caller, work on a machine without a screen, and keep no state.
"""
