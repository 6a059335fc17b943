# title: a ColumnTransformer on categories, missing values, datetimes and text, with a notebook function
# expect: right
# check: ["pipe.predict(df.iloc[5:12])", "pipe.predict(df.tail(1))"]
# %%
import numpy as np, pandas as pd
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder
rng = np.random.default_rng(0)
n = 60
df = pd.DataFrame({
    "age": rng.integers(18, 80, n).astype("float64"),
    "plan": pd.Categorical(rng.choice(["free", "pro", "team"], n)),
    "since": pd.date_range("2023-01-01", periods=n, freq="D"),
    "note": rng.choice(["likes it", "hates it", "no idea"], n),
    "visits": pd.array(rng.integers(0, 9, n), dtype="Int64"),
})
df.loc[::7, "age"] = np.nan
df.loc[::9, "visits"] = pd.NA
y = (rng.random(n) > 0.5).astype(int)
def days(frame):
    return ((frame - pd.Timestamp("2023-01-01")) / pd.Timedelta(days=1)).to_numpy()
pipe = make_pipeline(
    ColumnTransformer([
        ("num", SimpleImputer(), ["age"]),
        ("plan", OneHotEncoder(handle_unknown="ignore"), ["plan"]),
        ("since", FunctionTransformer(days), ["since"]),
        ("note", TfidfVectorizer(), "note"),
        ("visits", make_pipeline(FunctionTransformer(lambda f: f.astype("float64").fillna(-1.0)), SimpleImputer()), ["visits"]),
    ]),
    LogisticRegression(),
).fit(df, y)
# %%
%bento_build case pipe --sample df.head(3)
