"""Changed copies of pictures, each with a record of what was done to it, for `perturb`, `prepare` and `reconstruct`."""
