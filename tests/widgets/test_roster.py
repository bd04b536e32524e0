"""Numbered rows: what of them is told, how many there may be, and how long they stay."""

from task_thread.frames.roster import GREYED, Roster, Row


class Named(Row):
    __slots__ = ()

    def whole(self):
        return {"row": self.number, **self.told}


def filled(most=10, names="ab"):
    roster = Roster(most)
    rows = [roster.add(Named()) for _ in names]
    for row, name in zip(rows, names, strict=True):
        roster.tell(row, name=name)
    return roster, rows


def test_a_new_row_is_told_whole_and_then_only_what_changed():
    roster, (_, b) = filled()
    assert roster.news(False) == {"add": [{"row": 1, "name": "a"}, {"row": 2, "name": "b"}]}
    assert roster.news(False) == {}
    roster.tell(b, name="b", state="running")
    roster.tell(b, state="running")
    assert roster.news(False) == {"set": [[2, {"state": "running"}]]}


def test_a_full_frame_tells_all_and_leaves_nothing_over():
    roster, (a, b) = filled()
    roster.news(False)
    roster.tell(b, state="done")
    roster.remove(a)
    assert roster.news(True) == {"add": [{"row": 2, "name": "b", "state": "done"}], "more": 0}
    assert roster.news(False) == {}


def test_no_number_is_given_twice_and_a_row_that_was_never_told_does_not_go():
    roster, (a, b) = filled()
    roster.remove(a)
    roster.news(False)
    roster.tell(b, state="done")
    roster.remove(b)
    assert roster.add(Named()).number == 3
    assert roster.news(False) == {"add": [{"row": 3}], "gone": [2]}


def test_a_row_may_go_without_a_word():
    roster, (a, b) = filled()
    roster.news(False)
    roster.remove(a)
    roster.remove(b, tell=False)
    assert roster.news(False) == {"gone": [1]}


def test_what_finds_no_room_is_counted_and_told_once():
    roster, _ = filled(most=2)
    assert roster.news(False) == {"add": [{"row": 1, "name": "a"}, {"row": 2, "name": "b"}]}
    for _ in range(2):  # looks for rows
        roster.more = 0
        assert not roster.has_room()
        assert not roster.has_room()
    assert roster.news(False) == {"more": 2}
    assert roster.news(False) == {}


def test_what_has_ended_stays_for_a_while_and_a_new_life_counts_anew():
    roster, (a, _) = filled()
    assert not roster.is_over(a, 100)
    assert not roster.is_over(a, 100 + GREYED - 1)
    a.ended = None
    assert not roster.is_over(a, 100 + GREYED)
    assert roster.is_over(a, 100 + 2 * GREYED)
