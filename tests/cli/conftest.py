"""Tables that a person might have."""

import numpy as np
import pytest
from fastgrad.kernels import store

ROWS = 60


@pytest.fixture(autouse=True)
def nothing_is_said_of_compiling(monkeypatch):
    """So that what is on stderr does not hang on which kernels the tests before have compiled."""
    monkeypatch.setattr(store, "say_compiling", lambda: None)


@pytest.fixture
def houses():
    """60 rows: numbers, gaps, truth values, dates, names, and a price and a kind that follow from them."""
    pandas = pytest.importorskip("pandas", reason="tables need pip install -e '.[train]'")
    pytest.importorskip("sklearn", reason="tables need pip install -e '.[train]'")
    random = np.random.RandomState(0)
    size = random.randint(50, 250, ROWS).astype(float)
    town = random.choice(["Ghent", "Bruges", "Ypres"], ROWS)
    frame = pandas.DataFrame(
        {
            "size": np.where(random.rand(ROWS) < 0.1, np.nan, size),
            "rooms": random.randint(1, 9, ROWS),
            "town": np.where(random.rand(ROWS) < 0.1, None, town),
            "garden": random.rand(ROWS) < 0.5,
            "built": pandas.date_range("1950-01-01", periods=ROWS, freq="YS").as_unit("ns"),
        }
    )
    frame["price"] = np.round(1000 * size + 50_000 * (town == "Ghent") + 0.5, 2)
    frame["kind"] = np.where(size > 150, "villa", "flat")
    return frame


def written(frame, path):
    """The path, after the table has been written there in the format of its ending."""
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    elif path.suffix == ".npz":  # no gaps and no objects: an array has one type
        columns = {"town": frame["town"].fillna("").to_numpy(str), "kind": frame["kind"].to_numpy(str)}
        np.savez(path, **{name: columns.get(name, frame[name].to_numpy()) for name in frame})
    else:
        frame.to_csv(path, index=False)
    return path
