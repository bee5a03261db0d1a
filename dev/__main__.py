"""`python -m dev` starts everything and stays until Ctrl-C."""

import sys

from dev.run import main

sys.exit(main())
