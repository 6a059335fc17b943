# title: an sqlite connection
# expect: refused
# because: [db, "cell [2]"]
# %%
import sqlite3
db = sqlite3.connect(":memory:")
db.execute("create table t (x int)")
db.execute("insert into t values (5)")
def predict(x):
    return db.execute("select x + ? from t", (x,)).fetchone()[0]
# %%
bj.build("case", predict, sample=1)
