"""The control plane's HTTP face: BentoCloud's calls as the `bentoml` client makes them, and ours.

One module per resource. `schemas.py` holds what crosses the border, `guards.py` who may cross it.
"""
