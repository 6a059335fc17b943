# title: a dictionary with integer keys, which JSON would turn into text
# expect: either
# check: ["squares(3)"]
# because: [squares]
# %%
def squares(n: int) -> dict:
    return {i: i * i for i in range(n)}
# %%
bj.build("case", squares, sample=2)
