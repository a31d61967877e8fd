"""The steps of `spectell.workflows.train`: what is asked, checked, fitted, validated and written on the card."""
