# title: parameters with defaults that the sample does not name
# expect: right
# check: ["tag('x')", "tag('x', times=3)", "tag('x', sep='-', times=2)", "tag('x', end=None)"]
# %%
def tag(text: str, times: int = 1, sep: str = ",", end: str | None = None) -> str:
    return sep.join([text] * times) + (end or "")
# %%
bj.build("case", tag, sample={"text": "a"})
