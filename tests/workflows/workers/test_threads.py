"""What becomes of the threads of linear algebra, each in a process of its own, since libraries are loaded once."""

import os
import subprocess
import sys
import textwrap

import pytest

from spectell.workflows.workers.threads import BLAS_VARIABLES

COUNT = "print(max([1, *(each['num_threads'] for each in threadpoolctl.threadpool_info())]))"


def printed(script, **variables):
    environment = {name: value for name, value in os.environ.items() if name not in BLAS_VARIABLES} | variables
    command = [sys.executable, "-c", f"{textwrap.dedent(script)}\n{COUNT}"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.split()


def test_told_before_numpy_is_loaded_there_is_one_thread():
    script = """
        import sys
        from spectell.workflows.workers.threads import keep_to_one_thread
        keep_to_one_thread()
        print("numpy" in sys.modules)
        import numpy, threadpoolctl
    """
    assert printed(script) == ["False", "1"]


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one core has one thread")
def test_what_the_user_has_set_is_kept():
    script = """
        from spectell.workflows.workers.threads import keep_to_one_thread
        keep_to_one_thread()
        import numpy, threadpoolctl
    """
    assert printed(script, OPENBLAS_NUM_THREADS="2", OMP_NUM_THREADS="2", MKL_NUM_THREADS="2") == ["2"]


def test_threads_of_libraries_that_are_loaded_end():
    script = """
        import numpy, threadpoolctl
        from spectell.workflows.workers.threads import end_threads
        end_threads()
    """
    assert printed(script) == ["1"]
