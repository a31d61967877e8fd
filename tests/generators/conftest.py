"""Fixtures of the generators' tests."""

import pytest


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    """Small networks are slower on several threads, and much slower where the cores have other work."""
    try:
        import torch
    except ImportError:
        return
    torch.set_num_threads(1)
