# title: parameters named self, cls, ctx, context, request and model
# expect: either
# because: [ctx, rename]
# check: ["f(1, 2, 3, 4, 5)"]
# %%
def f(ctx, context, request, model, cls):
    return [ctx, context, request, model, cls]
# %%
bj.build("case", f, sample=(5, 4, 3, 2, 1))
