# title: imports inside the function body
# expect: right
# check: ["spread([1.0, 5.0, 9.0])"]
# %%
def spread(values):
    import statistics
    from scipy import stats as s
    return [statistics.pstdev(values), float(s.iqr(values))]
# %%
bj.build("case", spread, sample=[1.0, 2.0])
