# title: an import in try/except, one alternative of which does not exist
# expect: right
# check: ["dump({'b': 1})"]
# %%
try:
    import a_fast_json_that_nobody_has as json
except ImportError:
    import json
if True:
    from textwrap import dedent
else:
    dedent = None
# %%
def dump(data: dict):
    return dedent("  " + json.dumps(data, sort_keys=True))
# %%
bj.build("case", dump, sample={"a": [1, 2]})
