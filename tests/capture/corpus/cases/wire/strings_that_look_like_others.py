# title: text that looks like a number, a date, NaN or JSON stays text
# expect: right
# check: ["echo(['1', 'NaN', '2024-01-01', 'null', 'Infinity', '{}', ''])"]
# %%
def echo(values: list[str]) -> list[str]:
    return values
# %%
bj.build("case", echo, sample=["a"])
