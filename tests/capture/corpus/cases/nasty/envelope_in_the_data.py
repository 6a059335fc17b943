# title: data that looks like the wire format's own words, in and out
# expect: right
# check: ["echo({'$type': {'kind': 'float'}, 'value': 1})", "echo({'$type': 'x'})"]
# %%
def echo(data: dict) -> dict:
    return {"$type": {"kind": "int"}, "value": data, "kind": "array", "dtype": "int8"}
# %%
bj.build("case", echo, sample={"a": 1})
