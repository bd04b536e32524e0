"""Which views count as there."""

from task_thread_widgets.presence import BEHIND, LIVE, Presences


def seen(presences: Presences, now: float, newest: int = 0) -> int:
    return len(presences.seen(now, newest))


def test_a_view_is_seen_from_its_first_visible_word_until_it_falls_silent():
    presences = Presences()
    assert seen(presences, 0) == 0
    presences.heard("a", 0)
    assert seen(presences, 0) == 0
    presences.heard("a", 1).visible = True
    assert seen(presences, 1 + LIVE) == 1
    assert seen(presences, 1.1 + LIVE) == 0
    assert len(presences) == 0


def test_a_hidden_view_is_not_seen_and_comes_back():
    presences = Presences()
    presences.heard("a", 0).visible = True
    presences.heard("a", 1).visible = False
    assert seen(presences, 1) == 0
    presences.heard("a", 2).visible = True
    assert seen(presences, 2) == 1


def test_each_view_counts_for_itself():
    presences = Presences()
    presences.heard("a", 0).visible = True
    presences.heard("b", 10).visible = True
    assert seen(presences, 12) == 2
    assert seen(presences, 20) == 1
    presences.gone("b")
    presences.gone("never there")
    assert seen(presences, 20) == 0


def test_a_view_that_lags_far_behind_gets_none_until_it_catches_up():
    presences = Presences()
    presence = presences.heard("a", 0)
    presence.visible = True
    assert seen(presences, 0, newest=BEHIND) == 1
    assert seen(presences, 0, newest=BEHIND + 1) == 0
    presence.newest = 1
    assert seen(presences, 0, newest=BEHIND + 1) == 1


def test_any_number_of_views_is_kept_in_bounds():
    presences = Presences()
    for number in range(1000):
        presences.heard(str(number), number).visible = True
    assert len(presences) == 50
    presences.heard("999", 2000)
    assert len(presences) == 50


def test_a_flood_of_others_does_not_push_out_a_view_that_is_there():
    presences = Presences()
    for now in (0, 2):
        presences.heard("real", now).visible = True
    for number in range(1000):
        presences.heard(f"other {number}", 3).visible = True
    assert not presences.heard("a newcomer", 4).again
    assert presences.heard("real", 4).visible


def test_of_those_that_are_there_a_hidden_one_makes_room_first():
    presences = Presences()
    presences.heard("hidden", 1)
    for number in range(49):
        presences.heard(str(number), 0).visible = True
    presences.heard("new", 2)
    assert presences.heard("0", 3).visible
    assert not presences.heard("hidden", 3).again
