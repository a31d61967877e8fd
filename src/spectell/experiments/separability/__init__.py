"""Linear detectors on pixels and on the DCT for every generator; `experiment` is what runs."""
