"""What `spectell.workflows.explain` says of one image: how it compares, where the evidence is, what would change it."""
