"""How good a detector is, and where its thresholds lie: arrays in, numbers out.

Labels are 0 for real and 1 for generated; a higher score means more likely generated. Import from the modules:
this package imports none of them, so that a verdict on one image, which needs `calibration` and `thresholds`
only, does not pay for the rest.
"""
