# title: the endpoint is named as a builtin
# expect: right
# check: ["filter([3, -1])", "filter([])"]
# %%
def filter(values: list[int]) -> list[int]:
    return [value for value in values if value > 0]
# %%
bj.build("case", filter, sample=[1, -2])
