"""Spectra of images and of sets of images.

Of one image: block averages, tile periodograms, traces of resizing. Of many: running statistics and the comparison
of two sets. Of either: radial profiles and peaks.
"""

from spectell.spectra.blocks import POWER_OFFSET, BlockSpectrum, block_spectra, luma_and_differences
from spectell.spectra.effects import SpectrumComparison, adjust_p_values, compare_spectra
from spectell.spectra.peak_meaning import PeakCause, PeakGrid, PeakMeaning, grid_period, group_peaks, peak_meaning
from spectell.spectra.peaks import DECIBELS, Peak, PeakSearch, dct_position, find_peaks
from spectell.spectra.periodogram import tile_periodogram, unfold_periodogram
from spectell.spectra.radial import (
    DirectionalProfiles,
    PowerLaw,
    RadialProfile,
    directional_profiles,
    fit_power_law,
    radial_profile,
)
from spectell.spectra.resampling import ResamplingTrace, resampling_trace
from spectell.spectra.sampling import blocks_within_budget, sample_blocks
from spectell.spectra.statistics import SpectrumStatistics

__all__ = [
    "DECIBELS",
    "POWER_OFFSET",
    "BlockSpectrum",
    "DirectionalProfiles",
    "Peak",
    "PeakCause",
    "PeakGrid",
    "PeakMeaning",
    "PeakSearch",
    "PowerLaw",
    "RadialProfile",
    "ResamplingTrace",
    "SpectrumComparison",
    "SpectrumStatistics",
    "adjust_p_values",
    "block_spectra",
    "blocks_within_budget",
    "compare_spectra",
    "dct_position",
    "directional_profiles",
    "find_peaks",
    "fit_power_law",
    "grid_period",
    "group_peaks",
    "luma_and_differences",
    "peak_meaning",
    "radial_profile",
    "resampling_trace",
    "sample_blocks",
    "tile_periodogram",
    "unfold_periodogram",
]
