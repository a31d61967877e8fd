"""From what a user names to pixels: which files, in what order, read apart from the process that must not fall."""
