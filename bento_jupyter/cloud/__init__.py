"""The embedded cloud: a BentoCloud on the user's own machine.

Imported by nobody outside this package; started as `python -m bento_jupyter.cloud` and spoken to over
HTTP, by the unmodified `bentoml` client (`/api/v1`, `/api/v2`, `/ws`) and by us (`/api/bj/v1`).
"""
