"""Which of several sources an image is from: what attribution, data efficiency and robustness are made of."""
