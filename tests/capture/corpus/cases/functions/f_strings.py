# title: names that are used in f-strings only
# expect: right
# check: ["show(3.14159)"]
# %%
UNIT, WIDTH, PLACES = "kg", 12, 2
def rounded(x): return round(x, 1)
# %%
def show(x):
    return f"{rounded(x)!r:>{WIDTH}} {UNIT} {x:.{PLACES}f} {{literal}} {'nested ' + f'{UNIT}'}"
# %%
bj.build("case", show, sample=2.5)
