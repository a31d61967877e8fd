"""The exceptions that Spectell raises on purpose.

Every message names the argument or the file, the rule and the value, then the remedy. Each class also
inherits the built-in exception that it refines, so that callers need not know this module. Anything
else that escapes is a bug.
"""

__all__ = ["ArtifactError", "ImageError", "ManifestError", "ParameterError", "ShapeError", "SpectellError"]


class SpectellError(Exception):
    """Root of every exception that Spectell raises on purpose."""


class ParameterError(SpectellError, ValueError):
    """An argument has a value outside its domain."""


class ShapeError(SpectellError, ValueError):
    """An array does not have the axes or the sizes that the operation needs."""


class ImageError(SpectellError, OSError):
    """A file cannot be read as an image; the message names the file and the reason."""


class ManifestError(SpectellError, ValueError):
    """A data set's folder or manifest does not say what it must."""


class ArtifactError(SpectellError, ValueError):
    """A model file is missing, damaged, or does not fit this version."""
