"""The exceptions that Spectell raises on purpose.

Every message names the argument or the file, the rule and the value, then the remedy. Each class also
inherits the built-in exception that it refines, so that callers need not know this module. Anything
else that escapes is a bug.
"""

__all__ = [
    "ArtifactError",
    "ImageError",
    "ManifestError",
    "MismatchError",
    "ParameterError",
    "ShapeError",
    "SpectellError",
]


class SpectellError(Exception):
    """Root of every exception that Spectell raises on purpose."""


class ParameterError(SpectellError, ValueError):
    """An argument has a value outside its domain, or contradicts another one, whatever the files hold."""


class MismatchError(ParameterError):
    """An argument that is right in itself does not fit the files, the model or the machine that it meets.

    The same command may succeed with other images, in another folder or on another machine. On the command line that is
    no wrong usage: its exit status is 1, and that of any other `ParameterError` is 2.
    """


class ShapeError(SpectellError, ValueError):
    """An array does not have the axes or the sizes that the operation needs."""


class ImageError(SpectellError, OSError):
    """A file cannot be read as an image; the message names the file and the reason."""


class ManifestError(SpectellError, ValueError):
    """A data set's folder or manifest does not say what it must."""


class ArtifactError(SpectellError, ValueError):
    """A model file is missing, damaged, or does not fit this version."""
