"""Stage 8, the command line: one file a command; each reads arguments, calls the stages below and prints."""
