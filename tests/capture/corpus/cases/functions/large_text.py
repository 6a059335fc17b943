# title: a text constant of 100 kB, with quotes, newlines and a backslash at its end
# expect: right
# check: [char_at(99990), char_at(3)]
# %%
TEXT = ("it's \"quoted\"\n\t\\" * 9000)[:99_999] + "\\"
# %%
def char_at(i):
    return [TEXT[i], len(TEXT), TEXT[-1]]
# %%
bj.build("case", char_at, sample=10)
