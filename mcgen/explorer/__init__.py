"""`mcgen explore`: an experiment that can be moved, and what it sees then."""
