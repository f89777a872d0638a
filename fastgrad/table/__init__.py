"""Tables of a person's own: read them, turn columns into a network's inputs, and outputs into predictions.

>>> import pandas
>>> from fastgrad import table
>>> frame = pandas.DataFrame({"size": [50.0, 80.0, None], "town": ["Ghent", "Bruges", "Ghent"]})
>>> table.Preprocessing.fit(frame).transform(frame).shape  # size, whether it is missing, two towns
(3, 4)
"""

from fastgrad.table.columns import TableError
from fastgrad.table.files import check_ending, read, write
from fastgrad.table.preprocessing import Preprocessing
from fastgrad.table.target import Target

__all__ = ["Preprocessing", "TableError", "Target", "check_ending", "read", "write"]
