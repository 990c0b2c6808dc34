"""What is computed on the host, in NumPy, before a program runs: text and ids become small whole numbers."""
