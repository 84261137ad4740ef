"""`python -m registry_fp.cli` is the script `registry-fp`."""

import sys

from registry_fp.cli import main

if __name__ == "__main__":
    sys.exit(main())
