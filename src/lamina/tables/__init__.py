"""Stage 7, tables: a file → its columns → the numbers that a model takes."""
