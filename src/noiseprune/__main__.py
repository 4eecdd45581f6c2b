"""``python -m noiseprune`` is the command line."""

from noiseprune.cli import main

if __name__ == "__main__":
    main()
