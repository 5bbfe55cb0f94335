"""Every numbered equation of arXiv:1701.07437, once."""
