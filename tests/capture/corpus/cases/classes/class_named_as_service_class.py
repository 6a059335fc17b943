# title: a notebook class named Service, another named Case
# expect: either
# because: [call]
# check: ["Service().call(3)"]
# %%
class Case:
    def value(self): return 5
class Service:
    def call(self, x): return x + Case().value()
# %%
bj.build("case", Service, sample=1)
