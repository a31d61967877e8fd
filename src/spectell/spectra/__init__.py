"""Spectra of images and of sets of images: block averages and traces of resizing of one, running statistics of many."""

from spectell.spectra.blocks import POWER_OFFSET, BlockSpectrum, block_spectra, luma_and_differences
from spectell.spectra.resampling import ResamplingTrace, resampling_trace
from spectell.spectra.sampling import sample_blocks
from spectell.spectra.statistics import SpectrumStatistics

__all__ = [
    "POWER_OFFSET",
    "BlockSpectrum",
    "ResamplingTrace",
    "SpectrumStatistics",
    "block_spectra",
    "luma_and_differences",
    "resampling_trace",
    "sample_blocks",
]
