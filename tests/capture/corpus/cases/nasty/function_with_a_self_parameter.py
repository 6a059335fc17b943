# title: a plain function with parameters named self and return value
# expect: either
# because: [self, rename]
# check: ["plus(1, 2)"]
# %%
def plus(self, value):
    return self + value
# %%
bj.build("case", plus, sample={"self": 3, "value": 4})
