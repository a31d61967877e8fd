"""``python -m spectell``: the command line."""

from spectell.cli import main

if __name__ == "__main__":
    main()
