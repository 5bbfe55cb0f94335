"""Where tests find what lies beside the package."""

from __future__ import annotations

from pathlib import Path

#: the checkout
ROOT = Path(__file__).parents[1]
