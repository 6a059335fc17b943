# title: an answer whose length depends on the values
# expect: right
# check: ["matches('banana', 'a')", "matches('x', 'y')", "matches('aaaa', 'a')"]
# %%
def matches(text: str, letter: str):
    return [i for i, c in enumerate(text) if c == letter]
# %%
bj.build("case", matches, sample={"text": "anna", "letter": "n"})
