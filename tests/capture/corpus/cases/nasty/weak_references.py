# title: a weak reference and a WeakValueDictionary in globals
# expect: refused
# because: [ref]
# %%
import weakref
class Thing: n = 5
thing = Thing()
ref = weakref.ref(thing)
def f(x): return x + ref().n
# %%
bj.build("case", f, sample=1)
