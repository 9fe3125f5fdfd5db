"""`python -m tinycompile`: the command line."""

from tinycompile.cli import main

main()
