"""Tables on disk: what is written is read, and the header says what separates columns."""

import numpy as np
import pytest

from fastgrad import table

pandas = pytest.importorskip("pandas", reason="tables need pip install -e '.[train]'")


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".parquet", ".npz"])
def test_round_trip(ending, tmp_path):
    if ending == ".parquet":
        pytest.importorskip("pyarrow", reason="Parquet needs pip install -e '.[train]'")
    frame = pandas.DataFrame({"a, b": [1.5, -2.0, 3e300], "c": ["x,y", "ü\tz", '"']})
    table.write(frame, tmp_path / f"t{ending}")
    again = table.read(tmp_path / f"t{ending}")
    assert again.columns.tolist() == ["a, b", "c"]
    assert again.index.tolist() == [1, 2, 3]
    assert again["a, b"].tolist() == frame["a, b"].tolist()
    assert again["c"].tolist() == frame["c"].tolist()
    assert [path.name for path in tmp_path.iterdir()] == [f"t{ending}"]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("start", ["", "\ufeff", "\n"])
def test_the_header_says_what_separates(separator, start, tmp_path):
    rows = [['"size, in m; net"', "price"], ["1,5".replace(separator, "."), "2"]]
    text = start + "".join(separator.join(row) + "\n" for row in rows)
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    frame = table.read(tmp_path / "t.csv")
    assert frame.columns.tolist() == ["size, in m; net", "price"]
    assert frame["price"].tolist() == [2]


def test_numbers_with_a_decimal_comma(tmp_path):
    (tmp_path / "t.csv").write_text("a;b;c;d\n0,5;x;1,5;7\n;1,5;a;1.5\n-3;2;;\n")
    frame = table.read(tmp_path / "t.csv", names=["c"])
    assert frame["a"].tolist()[::2] == [0.5, -3]
    assert frame["a"].isna().tolist() == [False, True, False]
    assert frame["b"].tolist() == ["x", "1,5", "2"]
    assert frame["c"].tolist()[:2] == ["1,5", "a"]
    assert frame["d"].tolist()[:2] == [7, 1.5]
    (tmp_path / "t.csv").write_text('a,b\n"0,5",1\n')
    assert table.read(tmp_path / "t.csv")["a"].tolist() == ["0,5"]


@pytest.mark.parametrize("first", [0, 1])
def test_row_numbers_without_a_name_are_left_out(first, tmp_path):
    frame = pandas.DataFrame({"a": [5, 6, 7]}, index=range(first, first + 3))
    frame.to_csv(tmp_path / "t.csv")
    assert table.read(tmp_path / "t.csv").columns.tolist() == ["a"]
    (tmp_path / "t.csv").write_text(",a\n5,1\n3,2\n")
    assert len(table.read(tmp_path / "t.csv").columns) == 2


def test_what_is_missing(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n,NA\nNaN,null\n1,x\n")
    frame = table.read(tmp_path / "t.csv")
    assert frame.isna().to_numpy().tolist() == [[True, True], [True, True], [False, False]]


def test_a_matrix_is_several_columns(tmp_path):
    np.savez(tmp_path / "t.npz", x=np.arange(6).reshape(3, 2), y=np.arange(3), z=np.zeros((3, 1, 2)))
    frame = table.read(tmp_path / "t.npz")
    assert frame.columns.tolist() == ["x.0", "x.1", "y", "z.0", "z.1"]
    assert frame["x.1"].tolist() == [1, 3, 5]


def test_an_index_with_a_name_is_a_column(tmp_path):
    pytest.importorskip("pyarrow", reason="Parquet needs pip install -e '.[train]'")
    frame = pandas.DataFrame({"id": [7, 8], "a": [1, 2]}).set_index("id")
    frame.to_parquet(tmp_path / "t.parquet")
    assert table.read(tmp_path / "t.parquet").columns.tolist() == ["id", "a"]


def test_a_failed_write_leaves_what_was_there(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("mine")

    class Frame:
        def to_csv(self, file, **_):
            file.write(b"half")
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        table.write(Frame(), path)
    assert path.read_text() == "mine"
    assert [each.name for each in tmp_path.iterdir()] == ["t.csv"]
