"""Products by themselves: the table against peers (`report.py`), the processor's limit (`probe.py`), pytest-benchmark."""
