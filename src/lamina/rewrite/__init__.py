"""Stage 2, graph to graph: gradients and algebraic simplification."""
