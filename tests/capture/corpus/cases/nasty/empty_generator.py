# title: a generator that yields nothing for some inputs
# expect: right
# check: ["f('a b')", "f('')"]
# %%
def f(text: str):
    for word in text.split():
        yield word
# %%
bj.build("case", f, sample="x y")
