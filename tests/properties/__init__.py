"""Random programs against a small model.

`plans` is the language in which a random program is written down, `strategies` draws one, `probe` and
`acts` carry it out in simulated time (`virtual_time`), and `model` says what must hold meanwhile.
"""
