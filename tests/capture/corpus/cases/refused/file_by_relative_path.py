# title: a file of the notebook's folder, read by its relative path in the function
# expect: refused
# because: [stopwords.txt]
# %%
%%writefile stopwords.txt
the
a
# %%
def keep(words: list[str]) -> list[str]:
    stop = set(open("stopwords.txt").read().split())
    return [word for word in words if word not in stop]
# %%
bj.build("case", keep, sample=["the", "dog"])
