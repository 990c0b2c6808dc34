"""Stage 4, graph to other languages: a table, a few exceptions, one generic walk."""
