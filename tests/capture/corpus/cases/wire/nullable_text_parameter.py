# title: None as sample of one parameter
# expect: right
# check: ["greet(None)"]
# %%
def greet(name: str | None) -> str:
    return f"hello {name or 'nobody'}"
# %%
bj.build("case", greet, sample={"name": None})
