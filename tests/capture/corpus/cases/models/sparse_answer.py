# title: a vectorizer whose transform answers a sparse matrix
# expect: either
# check: ["vec.transform(['a b', 'c'])"]
# because: [sparse]
# %%
from sklearn.feature_extraction.text import TfidfVectorizer
vec = TfidfVectorizer(token_pattern=r"\w").fit(["a b c", "a d"])
# %%
bj.build("case", vec, sample=["a", "b d"])
