# title: walrus, match and comprehension scopes with names like globals
# expect: right
# check: ["walk({'kind': 'point', 'xy': [1, 2]})", "walk([1, 2, 3])", "walk(7)"]
# %%
x = y = n = item = "global, and not meant"
LIMIT = 2
class Marker:
    POINT = "point"
# %%
def walk(value: "list | dict | int"):
    match value:
        case {"kind": Marker.POINT, "xy": [x, y]}:
            return ["point", x, y]
        case [first, *rest] if (n := len(rest)) >= LIMIT:
            return ["list", first, n, [item for item in rest if item > LIMIT], {y: x for x, y in enumerate(rest)}[2]]
        case other:
            return ["other", other]
# %%
bj.build("case", walk, sample={"kind": "point", "xy": [5, 6]})
