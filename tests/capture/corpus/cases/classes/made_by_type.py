# title: a class made by type()
# expect: either
# check: ["thing.value(3)"]
# because: [Thing]
# %%
Thing = type("Thing", (), {"value": lambda self, x: x + 1})
thing = Thing()
# %%
bj.build("case", thing, sample=1)
