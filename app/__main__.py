"""`python -m app`: the operator's commands."""

import sys

if sys.argv[1:2] == ["alive"] and sys.argv[2:] in (["worker"], ["beat"]):
    # A probe of every container asks this all the time: it must not load the product.
    from app.core import signs

    sys.exit(signs.main(sys.argv[2]))

from app.cli import main

main()
