"""Stage 3, graph to program, and run it: fusion, memory, the program's text, the machine."""
