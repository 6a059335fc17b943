# title: parameters named as the attributes of a pydantic model, or of a request
# expect: right
# check: ["f(1, 2, 3, 4, 5)"]
# %%
def f(schema, json, copy, model_name, dict):
    return [schema, json, copy, model_name, dict]
# %%
bj.build("case", f, sample=(5, 4, 3, 2, 1))
