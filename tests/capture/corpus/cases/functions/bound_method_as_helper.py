# title: a function that calls a bound method kept in a global, and a library's bound method
# expect: right
# check: ["use('A-b')"]
# %%
import re
class Norm:
    def __init__(self, mark): self.mark = mark
    def __call__(self, text): return text.lower() + self.mark
    def twice(self, text): return self(self(text))
twice = Norm("!").twice
find = re.compile("[a-z]+").findall
def use(text):
    return [twice(text), find(text)]
# %%
bj.build("case", use, sample="Xyz")
