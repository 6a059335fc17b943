# title: a dictionary far larger than what one writes as code
# expect: right
# check: [find(1999), find(7), find(99999)]
# %%
TABLE = {i: {"name": f"item {i}", "price": i * 1.5, "tags": ["a", "b", str(i)]} for i in range(2000)}
# %%
def find(i):
    return TABLE.get(i)
# %%
bj.build("case", find, sample=3)
