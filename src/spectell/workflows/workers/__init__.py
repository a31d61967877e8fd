"""Processes that may crash or hang, and who gives them what to do.

`worker` is what runs inside such a process, `process` one of them as its parent sees it, `dispatch` decides which gets
which item, and `pool` is how work is given to them. `pending` and `threads` are small things that they share with those
who use them.
"""
