# title: a generator of dictionaries and numbers
# expect: right
# check: ["steps(3)"]
# %%
def steps(n: int):
    for i in range(n):
        yield {"step": i, "half": i / 2}
# %%
bj.build("case", steps, sample=2)
