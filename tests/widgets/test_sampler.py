"""The clock of the panels."""

from task_thread.frames.sampler import Sampler


class Panel:
    def __init__(self, loop, looks=1000, cost=0.0):
        self.loop, self.looks, self.cost = loop, looks, cost
        self.times = []
        self.lags = []

    def sample(self, now, lag):
        self.times.append(now)
        self.lags.append(lag)
        self.loop.worked += self.cost
        self.looks -= 1
        return self.looks >= 0


def test_it_ticks_ten_times_a_second_while_somebody_looks_and_not_after(loop):
    sampler = Sampler(loop)
    panel = Panel(loop, looks=10)
    assert loop.timers == 0
    began = loop.now
    sampler.join(panel)
    loop.advance(5)
    assert [round(t - began, 3) for t in panel.times] == [n / 10 for n in range(11)]
    assert loop.timers == 0
    assert not sampler.running


def test_two_panels_share_one_timer(loop):
    sampler = Sampler(loop)
    first, second = Panel(loop), Panel(loop)
    sampler.join(first)
    sampler.join(second)
    assert loop.timers == 1
    loop.advance(1)
    assert len(first.times) == len(second.times) == 11
    assert sampler.ticks == 11
    sampler.leave(first)
    loop.advance(0.1)
    assert (len(first.times), len(second.times)) == (11, 12)
    sampler.leave(second)
    assert loop.timers == 0


def test_the_panels_of_a_tick_take_turns_so_that_others_come_between_them(loop):
    sampler = Sampler(loop)
    order = []

    class Named(Panel):
        def __init__(self, loop, name):
            super().__init__(loop)
            self.name = name

        def sample(self, now, lag):
            order.append(self.name)
            # Whatever the loop has to do next comes before the next panel.
            loop.call_soon(order.append, "the program")
            return super().sample(now, lag)

    panels = [Named(loop, name) for name in "abc"]
    for panel in panels:
        sampler.join(panel)
    loop.run()
    assert order == ["a", "the program", "b", "the program", "c", "the program"]
    assert sampler.ticks == 1


def test_panels_that_leave_in_the_middle_of_a_tick_get_no_frame(loop):
    sampler = Sampler(loop)

    class Leaving(Panel):
        def sample(self, now, lag):
            for panel in panels:
                sampler.leave(panel)
            sampler.join(panels[2])
            return super().sample(now, lag)

    panels = [Leaving(loop), Panel(loop), Panel(loop)]
    for panel in panels:
        sampler.join(panel)
    loop.run()
    assert [len(panel.times) for panel in panels] == [1, 0, 0]
    loop.advance(0.1)
    assert [len(panel.times) for panel in panels] == [1, 0, 1]
    assert loop.timers == 1
    sampler.leave(panels[2])
    assert not sampler.running


def test_joining_again_and_again_brings_no_more_frames(loop):
    sampler = Sampler(loop)
    panel = Panel(loop)
    for _ in range(30):
        sampler.join(panel)
        loop.advance(0.01)
        sampler.leave(panel)
    assert len(panel.times) <= 4


def test_a_late_tick_tells_its_lag_and_the_next_is_on_time(loop):
    sampler = Sampler(loop)
    panel = Panel(loop)
    began = loop.now
    sampler.join(panel)
    loop.advance(0.1)
    loop.now += 0.13  # the loop was blocked
    loop.run()
    assert [round(lag, 3) for lag in panel.lags] == [0, 0, 0.03]
    loop.advance(0.1)
    assert round(panel.times[-1] - began, 3) == 0.3
    loop.now += 4
    loop.run()
    assert round(panel.lags[-1], 1) == 3.9
    count = len(panel.times)
    loop.advance(0.5)
    assert len(panel.times) - count == 5, "what was missed is not made up for"
    sampler.leave(panel)


def test_it_takes_a_twentieth_of_the_time_at_most(loop):
    sampler = Sampler(loop)
    panel = Panel(loop, cost=0.02)
    sampler.join(panel)
    loop.advance(4)
    assert len(panel.times) == 11  # each 20 ms, so 0.4 s apart
    sampler.leave(panel)


def test_a_panel_that_fails_does_not_stop_the_clock_of_the_others(loop, caplog):
    class Failing:
        def sample(self, now, lag):
            raise ZeroDivisionError

    sampler = Sampler(loop)
    panel = Panel(loop)
    sampler.join(Failing())
    sampler.join(panel)
    loop.advance(1)
    assert len(panel.times) == 11
    assert [record.message for record in caplog.records] == [
        "a panel could not be sampled: ZeroDivisionError"
    ]
    sampler.leave(panel)
