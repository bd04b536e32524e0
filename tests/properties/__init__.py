"""Random programs against a small model.

`plans` is the language in which a random program is written down, `strategies` and
`narrow_strategies` draw one, `perform`, `probe` and `acts` carry it out in simulated time
(`virtual_time`), and `model` says what must hold meanwhile. `known` keeps what once went wrong.

A failure shows the program, short and as code, and what happened when. To look at it again:

    from properties.plans import *
    from properties.perform import perform
    perform(Program(...))
"""
