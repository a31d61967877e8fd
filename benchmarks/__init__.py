"""Measurements of speed and memory, each as a ratio within one run on one machine.

``python -m benchmarks`` (or ``make bench``) runs them all; ``python -m benchmarks statistics scan`` runs some. They
make their own images, need nothing from elsewhere and assert nothing: a time says as much about the machine and its
other guests as about the program, a ratio of two times taken in turns says more.
"""
