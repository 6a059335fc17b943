# title: data that looks like the wire format's own words
# expect: right
# check: ["echo({'$type': {'kind': 'float'}, 'value': 1})", "echo({'$type': 'x'})"]
# %%
def echo(data: dict) -> dict:
    return {"keys": sorted(data), "values": [str(data[key]) for key in sorted(data)], "kind": "array", "dtype": "int8"}
# %%
bj.build("case", echo, sample={"a": 1})
