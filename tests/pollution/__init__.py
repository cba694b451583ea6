"""Pollution of a sound export, of every kind, in every place, in every dialect: what is declared is the truth, or what is wrong
is reported. Nothing comes out silently different.

    truth.py      the lines that the sound export holds, and when changed lines would be as sound
    dialects.py   the formats and dialects it is written in
    pollution.py  what a case of pollution is
    kinds/        the kinds of pollution, each at many places
    variants.py   kind × place × dialect
    judge.py      what the program made of a variant, held against the truth

`make damage` tries them all, `make test` a sample; `python -m tests.pollution NAME` makes one variant and says what becomes of it.

Left out is what nobody could see, since the polluted export is sound too: a digit that became another digit, the value of another
inventory, a missing last line of an inventory, a file cut between two inventories.
"""
