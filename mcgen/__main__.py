"""`python -m mcgen`: the command line, where no script of that name is on the path."""

import sys

from mcgen.cli import entry

if __name__ == "__main__":  # not in the processes of a production, which import this module again
    sys.argv[0] = "mcgen"  # so say the files that it writes what made them
    entry()
