# title: an sqlite connection deep inside an instance
# expect: refused
# because: [store, "connection"]
# %%
import sqlite3
class Store:
    def __init__(self):
        self.parts = {"db": [sqlite3.connect(":memory:")]}
    def get(self, x): return x + self.parts["db"][0].total_changes
store = Store()
# %%
bj.build("case", store, sample=1)
