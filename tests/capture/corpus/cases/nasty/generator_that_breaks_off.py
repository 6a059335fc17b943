# title: a generator that raises after two parts
# expect: right
# check: ["f(5)"]
# %%
def f(n: int):
    for i in range(n):
        if i > 100: raise ValueError("too far")
        yield f"{i},"
# %%
bj.build("case", f, sample=3)
