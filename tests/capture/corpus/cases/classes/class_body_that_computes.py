# title: a class body with loops, comprehensions and globals
# expect: right
# check: ["Table().get(3)"]
# %%
SIZE = 5
def cell(i): return i * i
class Table:
    rows = [cell(i) for i in range(SIZE)]
    for _name in ("a", "b"):
        locals()[f"get_{_name}"] = lambda self, x: x
    if SIZE > 3:
        big = True
    def get(self, i): return [self.rows[i], self.big]
# %%
bj.build("case", Table, sample=1, endpoints=["get"])
