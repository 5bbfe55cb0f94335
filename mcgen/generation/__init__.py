"""From a source to events: cells, compiled stages, normalisation."""
