"""Spectra of images and of sets of images: block averages of one file, running statistics of many."""

from spectell.spectra.blocks import POWER_OFFSET, BlockSpectrum, block_spectra, luma_and_differences
from spectell.spectra.sampling import sample_blocks
from spectell.spectra.statistics import SpectrumStatistics

__all__ = [
    "POWER_OFFSET",
    "BlockSpectrum",
    "SpectrumStatistics",
    "block_spectra",
    "luma_and_differences",
    "sample_blocks",
]
