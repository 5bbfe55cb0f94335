"""Limits on a number of signal events in one bin."""

from __future__ import annotations

METHODS = ("poisson", "cls", "feldman-cousins", "bayes")
