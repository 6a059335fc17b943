# title: a statsmodels model by formula with a notebook function in it
# expect: right
# needs: statsmodels
# check: ["forecast(df.iloc[10:15])"]
# %%
import numpy as np, pandas as pd
import statsmodels.formula.api as smf
rng = np.random.default_rng(0)
df = pd.DataFrame({"x": rng.random(40) + 1, "g": rng.choice(["a", "b"], 40)})
df["y"] = df.x * 2 + (df.g == "a") + rng.random(40) / 10
fit = smf.ols("y ~ np.log(x) + C(g)", df).fit()
def forecast(frame):
    return fit.predict(frame)
# %%
bj.build("case", forecast, sample=df.head(3))
