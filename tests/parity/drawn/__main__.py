"""`python -m drawn`: see run.py, which processes that are spawned can import."""

import sys

from drawn.run import main

if __name__ == "__main__":
    sys.exit(main())
