"""The column to be predicted: its scores follow their formulas, and labels come back as they were."""

import json

import numpy as np
import pytest

from fastgrad import table

pandas = pytest.importorskip("pandas", reason="tables need pip install -e '.[train]'")
ALL = np.arange(30)


def test_regression_is_standardized_by_the_training_rows():
    values = np.random.RandomState(0).randn(30) * 1000 + 50_000
    column = pandas.Series(values, name="price")
    training = ALL[10:]
    target = table.Target.fit(column, training)
    assert target.task == "regression"
    assert (target.mean, target.scale) == (values[training].mean(), values[training].std())
    encoded = target.encode(column)
    assert encoded.dtype == np.float32
    assert encoded.shape == (30, 1)
    np.testing.assert_allclose(target.decode(encoded)["price"], values, rtol=0, atol=1e-5 * target.scale)


def test_regression_scores():
    random = np.random.RandomState(1)
    target = table.Target("price", mean=3.0, scale=2.0)
    wanted, outputs = random.randn(20, 1), random.randn(20, 1)
    rmse = 2 * np.sqrt(np.mean((outputs - wanted) ** 2))
    explained = 1 - np.sum((outputs - wanted) ** 2) / np.sum((wanted - wanted.mean()) ** 2)
    alone = 2 * np.sqrt(np.mean(wanted**2))
    assert target.score(outputs, wanted) == f"RMSE {rmse:.6g}, R² {explained:.3f}; the mean alone: RMSE {alone:.6g}"
    assert "R²" not in target.score(outputs[:1], wanted[:1])


@pytest.mark.parametrize(
    "labels", [["no", "yes", "maybe"], [3, 1, 2], [True, False, True], [1.5, 2.0, 7.0], ["1", "02", "x"]]
)
def test_classes_come_back_as_they_were(labels):
    column = pandas.Series(labels * 10, name="kind")
    target = table.Target.fit(column, ALL, "classification")
    again = table.Target.from_json(json.loads(json.dumps(target.to_json())))
    assert again == target
    outputs = np.eye(target.size)[target.encode(column)] * 5
    predicted = again.decode(outputs)
    assert predicted["kind"].tolist() == column.tolist()
    np.testing.assert_allclose(predicted["probability"], np.exp(5) / (np.exp(5) + target.size - 1), atol=1e-6)
    assert target.score(outputs, target.encode(column)).startswith("accuracy 100.00% (30 of 30); ")


def test_the_commonest_class_is_the_training_rows():
    column = pandas.Series(["a"] * 20 + ["b"] * 10, name="kind")
    target = table.Target.fit(column, ALL[15:])  # five of a, ten of b
    assert target.classes[target.commonest] == "b"
    outputs = np.eye(2)[np.zeros(30, int)]
    assert target.score(outputs, target.encode(column)) == (
        "accuracy 66.67% (20 of 30); the commonest class alone, 'b': 33.33%"
    )


def test_a_class_that_training_did_not_have():
    target = table.Target.fit(pandas.Series(["a", "b"] * 15, name="kind"), ALL)
    with pytest.raises(table.TableError, match="the class 'c', which was not there in training"):
        target.encode(pandas.Series(["a", "c"]))


def test_one_class_in_the_training_rows():
    with pytest.raises(table.TableError, match="one class only, 'b'"):
        table.Target.fit(pandas.Series(["a"] * 15 + ["b"] * 15, name="kind"), ALL[15:])


def test_outputs_that_would_overflow():
    target = table.Target("kind", ["a", "b"])
    assert target.decode(np.array([[1000.0, -1000.0]], np.float32))["probability"].tolist() == [1.0]
