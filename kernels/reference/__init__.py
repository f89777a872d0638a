"""The specification of every kernel, in NumPy, and the oracle of the tests."""
