"""`python -m bench` is `bench`."""

import sys

if __name__ == "__main__":
    try:
        from bench.cli import main  # here, so that an interruption while it is imported ends without a traceback

        main()
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted.\n")
        sys.exit(130)
