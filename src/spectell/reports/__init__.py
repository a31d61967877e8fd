"""HTML for one image or one run: pages that need no network, no script and no second file to be read.

Pages are built of `spectell.reports.markup.Markup`; whatever is not Markup is escaped where it enters.
"""
