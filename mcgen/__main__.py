"""`python -m mcgen`: the command line, where no script of that name is on the path."""

from mcgen.cli import entry

if __name__ == "__main__":  # not in the processes of a production, which import this module again
    entry()
