"""Threads of the linear algebra beneath NumPy: none where processes share the cores or products are small.

The environment governs libraries that are loaded later, so this module imports neither NumPy nor anything heavy.
"""

from __future__ import annotations

import os

__all__ = ["BLAS_VARIABLES", "end_threads", "keep_to_one_thread"]

BLAS_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
"""Variables of the environment that the libraries read when they are loaded."""


def keep_to_one_thread() -> None:
    """See that no threads start at all, unless the user has said otherwise; call it before NumPy is imported."""
    for name in BLAS_VARIABLES:
        os.environ.setdefault(name, "1")


def end_threads() -> None:
    """Take their threads from libraries that are loaded already, and from those to come.

    The former are governed by threadpoolctl, which is imported only where there was not one thread from the start.
    """
    if os.environ.get("OPENBLAS_NUM_THREADS") == "1":
        return
    os.environ.update(dict.fromkeys(BLAS_VARIABLES, "1"))
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)
