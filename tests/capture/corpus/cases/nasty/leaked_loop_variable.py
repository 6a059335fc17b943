# title: globals bound by a loop, an unpacking, a walrus, a with and an augmented assignment
# expect: right
# check: [f(3)]
# %%
import io
for k in range(4):
    pass
first, (second, *rest) = 1, (2, 3, 4)
if (n := 10) > 5:
    n += 7
with io.StringIO("text") as stream:
    text = stream.read()
[a := i for i in range(3)]
def f(x):
    return [x * k, first, second, rest, n, text, a]
# %%
bj.build("case", f, sample=1)
