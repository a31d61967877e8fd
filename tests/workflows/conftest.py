"""Workers of these tests are forked, so that the functions they run may be local."""

import pytest

from spectell.workflows.workers import process


@pytest.fixture
def forked(monkeypatch):
    """Fork even if another test has imported torch; nothing here uses it."""
    monkeypatch.setattr(process, "may_fork", lambda: True)
