"""From counts to limits: how many signal events an observation excludes."""
