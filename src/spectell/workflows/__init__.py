"""What people do with Spectell; composes the rooms below and prints nothing.

Import the module of a workflow, not this package: each loads only what it needs.
"""
