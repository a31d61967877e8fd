"""What `spectell.workflows.audit` looks for in pixels, and its report."""
