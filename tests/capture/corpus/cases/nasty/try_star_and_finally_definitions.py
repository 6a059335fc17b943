# title: definitions that the notebook made inside try, else, while and nested if
# expect: right
# check: ["f(3)"]
# %%
try:
    import nothing_like_this
except ImportError as error:
    reason = type(error).__name__
    def load(x): return ["fallback", x]
else:
    def load(x): return ["real", x]
while True:
    def inner(x): return x + OFFSET
    OFFSET = 3
    break
def f(x): return [load(x), inner(x), reason]
# %%
bj.build("case", f, sample=1)
