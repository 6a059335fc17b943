# title: an endpoint with **options
# expect: either
# check: ["show(1, colour='red')"]
# because: [options]
# %%
def show(x, **options):
    return [x, options]
# %%
bj.build("case", show, sample={"x": 1, "colour": "blue"})
