"""Where a decay counts, and how often it happens there."""
