"""Which distributions the code and the objects need: evidence, pins, wheels."""
