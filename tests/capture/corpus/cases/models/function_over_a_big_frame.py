# title: a frame that the function does need
# expect: right
# check: ["lookup(49999)", "lookup(5)"]
# %%
import numpy as np, pandas as pd
rng = np.random.default_rng(0)
table = pd.DataFrame({"value": rng.random(50_000), "kind": pd.Categorical(rng.choice(list("ab"), 50_000)), "when": pd.date_range("2020", periods=50_000, freq="min", tz="Europe/Paris")}, index=pd.Index(range(50_000), name="id"))
def lookup(i: int) -> dict:
    row = table.loc[i]
    return {"value": float(row["value"]), "kind": str(row.kind), "when": row.when.isoformat(), "name": table.index.name}
# %%
bj.build("case", lookup, sample=3)
