# title: notebook classes named Service, Case (as the Bento) and Path
# expect: right
# check: ["Service().work(3)"]
# %%
class Case:
    def value(self): return 5
class Path:
    root = "/"
class Service:
    def work(self, x): return [x + Case().value(), Path.root]
# %%
bj.build("case", Service, sample=1)
