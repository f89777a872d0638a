"""Preprocessing: scikit-learn's numbers, from training rows alone, and the same bits after a trip through JSON."""

import json

import numpy as np
import pytest

from fastgrad import table
from fastgrad.table import columns, preprocessing

pandas = pytest.importorskip("pandas", reason="tables need pip install -e '.[train]'")
pytest.importorskip("sklearn", reason="tables need pip install -e '.[train]'")


def frame_of(rows, seed):
    """Numbers with and without gaps, a constant, truth values with a gap, names with a gap."""
    random = np.random.RandomState(seed)
    truth = random.rand(rows) < 0.5
    return pandas.DataFrame(
        {
            "plain": random.randn(rows) * 40 + 1000,
            "town": random.choice(["Ghent", "Bruges", "Ypres", None], rows),
            "gaps": np.where(random.rand(rows) < 0.3, np.nan, random.exponential(size=rows)),
            "same": 5,
            "truth": pandas.Series([None if i == 3 else bool(value) for i, value in enumerate(truth)], dtype=object),
            "street": [f"street {i}" for i in random.geometric(0.01, rows)],
        }
    )


def test_it_is_the_column_transformer_s():
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    frame, new = frame_of(400, 0), frame_of(50, 1)
    ours = table.Preprocessing.fit(frame)
    numeric, named = ["plain", "gaps", "same", "truth"], ["town", "street"]
    theirs = ColumnTransformer(
        [
            ("n", make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler()), numeric),
            ("c", OneHotEncoder(max_categories=100, handle_unknown="infrequent_if_exist"), named),
        ],
        sparse_threshold=0,
    )

    def plain(table):
        made = table.astype(dict.fromkeys(numeric, float))
        return made.assign(**{name: made[name].astype(object).where(made[name].notna(), "") for name in named})

    theirs.fit(plain(frame))
    assert ours.numbers == numeric
    assert ours.missing == ["gaps", "truth"]
    assert list(ours.categories) == named
    assert ours.rest == ["street"]
    assert ours.size == 4 + 2 + 4 + 100
    for each in (frame, new):
        np.testing.assert_array_equal(ours.transform(each), theirs.transform(plain(each)).astype(np.float32))


def test_rows_that_are_held_out_teach_nothing():
    frame = frame_of(100, 0)
    rows = np.arange(0, 100, 2)
    changed = frame.copy()
    changed.loc[1::2, "plain"] = 1e6
    changed.loc[1::2, "town"] = "Ostend"
    assert table.Preprocessing.fit(changed, rows=rows) == table.Preprocessing.fit(frame.iloc[rows])


def test_json_keeps_every_bit():
    frame = frame_of(100, 0)
    ours = table.Preprocessing.fit(frame)
    again = table.Preprocessing.from_json(json.loads(json.dumps(ours.to_json(), allow_nan=False)))
    assert again == ours
    assert (again.transform(frame) == ours.transform(frame)).all()


@pytest.mark.parametrize("keep", [["plain"], ["town"], ["gaps", "street"]])
def test_tables_of_one_kind(keep):
    frame = frame_of(50, 0)[keep]
    inputs = table.Preprocessing.fit(frame).transform(frame)
    assert inputs.dtype == np.float32
    assert inputs.shape == (50, table.Preprocessing.fit(frame).size)


def test_types_of_pandas_that_mean_the_same():
    plain = pandas.DataFrame({"n": [1.0, 2.0, None, 2.0], "c": ["a", None, "b", "a"]})
    other = pandas.DataFrame(
        {"n": pandas.array([1, 2, None, 2], dtype="Int64"), "c": pandas.Categorical(["a", None, "b", "a"])}
    )
    fitted = table.Preprocessing.fit(plain)
    assert table.Preprocessing.fit(other) == fitted
    np.testing.assert_array_equal(fitted.transform(other), fitted.transform(plain))


def test_many_names_are_few_inputs(monkeypatch):
    monkeypatch.setattr(preprocessing, "MOST_CATEGORIES", 3)
    frame = pandas.DataFrame({"c": list("aaabbbccd")})
    fitted = table.Preprocessing.fit(frame)
    assert fitted.categories == {"c": ["a", "b"]}
    new = fitted.transform(pandas.DataFrame({"c": ["a", "d", "never seen", None]}))
    assert new.tolist() == [[1, 0, 0], [0, 0, 1], [0, 0, 1], [0, 0, 1]]


@pytest.mark.parametrize(
    ("values", "days"),
    [
        (["1970-01-02", None, "1970-01-03 12:00"], [1, np.nan, 2.5]),
        (pandas.to_datetime(["1969-12-31", None]), [-1, np.nan]),
        (pandas.to_datetime(["1970-01-01 02:00+02:00"]), [0]),
        ([pandas.Timestamp("1970-01-02").date(), None], [1, np.nan]),
    ],
)
def test_dates_are_days(values, days):
    column = pandas.Series(values, name="when")
    assert columns.has_numbers(column)
    np.testing.assert_array_equal(columns.numbers(column), days)


def test_a_slip_among_dates():
    column = pandas.Series(["2020-01-01", "2020-01-02", "soon", "2020-01-04"], name="when")
    with pytest.raises(table.TableError, match="column 'when' has text where numbers belong: 'soon' in row 2"):
        table.Preprocessing.fit(column.to_frame())


@pytest.mark.parametrize("values", [[1j, 2], pandas.to_timedelta([1, 2]), [b"a", b"b"], [[1], [2]]])
def test_columns_of_other_things(values):
    with pytest.raises(table.TableError, match=r"column 'odd' holds .*, not numbers, dates or text"):
        table.Preprocessing.fit(pandas.DataFrame({"odd": pandas.Series(values)}))
