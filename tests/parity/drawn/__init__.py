"""Random models, drawn from the case tables, trained in Lamina and in real Keras: `make parity SEED=… CASES=…`."""
