"""What a frame is as a message."""

from array import array

from task_thread.frames.frame import Frame


def test_a_frame_is_facts_in_json_and_columns_in_little_endian():
    columns = {"of": array("I", [70000]), "turned": array("H", [1, 258])}
    content, buffers = Frame(False, 12.34567, {"gone": [3]}, columns).message(17)
    assert content == {
        "kind": "frame",
        "n": 17,
        "full": False,
        "at": 12.346,
        "facts": {"gone": [3]},
        "columns": [["of", "I"], ["turned", "H"]],
    }
    assert buffers == [b"\x70\x11\x01\x00", b"\x01\x00\x02\x01"]
