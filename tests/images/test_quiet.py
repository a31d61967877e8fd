import os
import subprocess
import sys
import textwrap
import threading
import warnings

from spectell.images.quiet import native_stderr_silenced, pillow_silenced


def test_filters_are_restored_when_readers_in_several_threads_overlap():
    before = list(warnings.filters)
    entered, leave = threading.Event(), threading.Event()

    def stay() -> None:
        with pillow_silenced():
            entered.set()
            leave.wait(30)

    thread = threading.Thread(target=stay)
    with pillow_silenced():
        thread.start()
        entered.wait(30)
    during = list(warnings.filters)
    leave.set()
    thread.join()
    assert len(during) == len(before) + 1
    assert list(warnings.filters) == before


def test_only_the_decoders_warnings_are_ignored():
    script = """
        import warnings
        from spectell.images.quiet import pillow_silenced
        with pillow_silenced():
            warnings.warn_explicit("theirs", UserWarning, "a.py", 1, module="PIL.PngImagePlugin")
            warnings.warn_explicit("ours", UserWarning, "b.py", 1, module="elsewhere")
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    assert "ours" in output
    assert "theirs" not in output


def test_native_output_is_discarded_and_comes_back(capfd):
    with native_stderr_silenced(), native_stderr_silenced():
        os.write(2, b"hidden")
    os.write(2, b"shown")
    assert capfd.readouterr().err == "shown"


def test_a_process_without_standard_error_reads_on():
    script = """
        import os
        os.close(2)
        from spectell.images.quiet import native_stderr_silenced
        with native_stderr_silenced():
            print(1)
    """
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True, check=True
    )
    assert result.stdout == "1\n"
