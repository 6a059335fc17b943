# title: boolean labels and a frame with named columns in another order than alphabetical
# expect: right
# check: ["clf.predict(df.iloc[10:20])"]
# refuses: ["clf.predict(df[['zeta', 'alpha']].rename(columns={'alpha': 'beta'}).head(2))"]
# %%
import numpy as np, pandas as pd
from sklearn.tree import DecisionTreeClassifier
rng = np.random.default_rng(1)
df = pd.DataFrame({"zeta": rng.random(40), "alpha": rng.integers(0, 5, 40).astype("int8")})
clf = DecisionTreeClassifier(random_state=0).fit(df, df.zeta > 0.5)
# %%
%bento_build case clf --sample df.head(4)
