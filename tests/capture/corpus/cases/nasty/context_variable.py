# title: a context variable and thread-local storage
# expect: either
# check: ["f(3)"]
# because: [current]
# %%
import contextvars
current = contextvars.ContextVar("current", default=5)
def f(x): return x + current.get()
# %%
bj.build("case", f, sample=1)
