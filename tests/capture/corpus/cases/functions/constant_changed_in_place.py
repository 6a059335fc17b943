# title: a list that later cells have appended to
# expect: right
# check: [lookup(3), lookup(0)]
# %%
NAMES = ["zero"]
def lookup(i):
    return NAMES[i]
# %%
for name in ("one", "two", "three"):
    NAMES.append(name)
# %%
bj.build("case", lookup, sample=1)
