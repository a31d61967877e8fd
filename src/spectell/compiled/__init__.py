"""What is worth compiling: two loops in C over the pixels of whole data sets, for the instructions of this processor.

The library is built when the package is installed, where there is a C compiler; where there is none, callers do the
same with NumPy and SciPy and take about twice as long. Nothing else depends on it: results agree to rounding.
"""

from spectell.compiled.kernels import Kernels, load_kernels

__all__ = ["Kernels", "load_kernels"]
