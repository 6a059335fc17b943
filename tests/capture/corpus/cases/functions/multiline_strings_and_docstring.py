# title: multi-line strings whose indentation counts
# expect: right
# check: ["prompt('x')"]
# %%
if True:
    TEMPLATE = """
  two spaces
	tab
    {question}
"""
    def prompt(question):
        """Docstring
      with odd indentation."""
        return TEMPLATE.format(question=question) + """
    four
""" + str(prompt.__doc__)
# %%
bj.build("case", prompt, sample="q")
