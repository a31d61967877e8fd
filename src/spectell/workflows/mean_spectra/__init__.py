"""What `spectell.workflows.spectrum` is made of: one pass over images, sums that merge, and what they come to.

`batch` and `full` measure, in workers; `sums` is what a set adds up to, `one_pass` goes over it and `files` keeps it;
`summary` makes a `study` of the sums, which is what people and reports read.
"""
