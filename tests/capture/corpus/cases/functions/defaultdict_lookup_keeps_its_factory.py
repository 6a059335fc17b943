# title: a defaultdict with a lambda as its factory
# expect: right
# check: ["translate('hello')", "translate('unknown')"]
# %%
from collections import defaultdict
WORDS = defaultdict(lambda: "?")
WORDS["hello"] = "hallo"
WORDS["world"] = "welt"
# %%
def translate(word):
    return dict(WORDS).get(word) or WORDS.default_factory()
# %%
bj.build("case", translate, sample="world")
