"""Stage 1, the language: a network is a graph of a few primitive operations."""
