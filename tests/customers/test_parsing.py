import tracemalloc
from pathlib import Path

import pytest

from customers.parsing import MAX_CELL, BadFile, table


def rows(path: Path, encoding: str = "utf-8", delimiter: str = ",", needed: tuple[str, ...] = ()) -> list[list[str]]:
    return [row.cells for row in table(path, encoding=encoding, delimiter=delimiter, needed=needed).rows]


def fault(path: Path, **options: object) -> str:
    with pytest.raises(BadFile) as caught:
        rows(path, **options)
    return str(caught.value)


@pytest.fixture
def file(tmp_path):
    def write(content: bytes) -> Path:
        path = tmp_path / "orders.csv"
        path.write_bytes(content)
        return path

    return write


def test_text_stays_as_it_stands_in_the_file(file):
    content = b'a,b,c\n01234,NA,null\n1E5, nan ,"x ""y"", z"\n"two\nlines",,inf\n'
    assert rows(file(content)) == [["01234", "NA", "null"], ["1E5", " nan ", 'x "y", z'], ["two\nlines", "", "inf"]]


def test_a_row_of_another_width_is_handed_on_as_it_is(file):
    assert rows(file(b"a,b\n1,2,3\n4\n5,6\n")) == [["1", "2", "3"], ["4"], ["5", "6"]]


def test_rows_know_the_line_on_which_they_begin(file):
    path = file(b'a,b\n1,2\n\n"x\ny",3\n4,5\n')
    assert [row.line for row in table(path, encoding="utf-8", delimiter=",", needed=()).rows] == [2, 4, 6]


def test_a_byte_order_mark_is_no_part_of_the_first_column(file):
    assert rows(file(b"\xef\xbb\xbfa,b\n1,2\n"), needed=("a", "b")) == [["1", "2"]]


def test_other_encodings_and_delimiters_are_read(file):
    assert rows(file("a;b\n£;é\n".encode("cp1252")), encoding="cp1252", delimiter=";") == [["£", "é"]]
    assert rows(file("a\tb\n£\t\n".encode("utf-16")), encoding="utf-16", delimiter="\t") == [["£", ""]]


def test_a_wrong_encoding_names_file_line_and_byte(file):
    body = b"a,b\n" + b"1,2\n" * 30_000 + b"caf\xe9,3\n"
    message = fault(file(body))
    assert message == "orders.csv, line 30,002: the byte 0xe9 is not utf-8; which encoding is the file in?"


def test_a_missing_column_is_named_with_those_that_are_there(file):
    message = fault(file(b"a,b\n1,2\n"), needed=("a", "Price"))
    assert message == 'orders.csv, line 1: there is no column "Price"; the columns are "a", "b"'


def test_a_column_named_twice_is_refused(file):
    assert 'the column "a" stands there 2 times' in fault(file(b"a,b,a\n"), needed=("a",))


def test_an_empty_file_is_refused(file):
    assert "the file is empty" in fault(file(b""))


def test_a_missing_file_is_refused(tmp_path):
    assert "nowhere.csv: cannot be read: No such file" in fault(tmp_path / "nowhere.csv")


def test_a_binary_file_is_refused(file):
    assert "is this a text file?" in fault(file(b"PK\x03\x04\0\0,\0\n"), encoding="cp1252")


def test_a_cell_of_ten_megabytes_names_line_and_column_without_being_kept(file):
    path = file(b"a,b,c\n1,2,3\n4," + b"x" * 10_000_000 + b",5\n")
    tracemalloc.start()
    message = fault(path)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert message.startswith(f'orders.csv, line 3, column "b": a cell is longer than {MAX_CELL:,} characters')
    # One row is read up to a megabyte of characters, not to its end.
    assert peak < 9_000_000


def test_a_quotation_mark_that_is_never_closed_is_found_soon(file):
    path = file(b'a,b\n1,2\n"3,4\n' + b"5,6\n" * 1_000_000)
    assert fault(path).startswith('orders.csv, line 3, column "a": a cell is longer than')
    assert "line 3: the quotation marks do not fit" in fault(file(b'a,b\n1,2\n"3,4\n'))


def test_text_after_a_closing_quotation_mark_is_refused(file):
    assert "line 2: the quotation marks do not fit" in fault(file(b'a,b\n"1"x,2\n'))


def test_a_row_without_an_end_is_refused(file):
    path = file(b"a,b\n" + b"1," * 1_000_000 + b"\n")
    assert "line 2, column" in fault(path)
    assert "the row is longer than 1,048,576 characters" in fault(path)


def test_reading_takes_the_same_memory_however_long_the_file(file):
    def peak(lines: int) -> int:
        path = file(b"a,b\n" + b"some text,2\n" * lines)
        tracemalloc.start()
        for _row in table(path, encoding="utf-8", delimiter=",", needed=()).rows:
            pass
        _now, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(40_000) < 2 * peak(2_000)
