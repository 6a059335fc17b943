"""What runs on a Ray cluster, shipped there as a package: it needs the standard library, psutil and Ray.

`agent.py` is a Ray Job on the head: it places a `supervisor.py` actor per instance. That starts `runner.py`,
which fetches what the instance needs, runs it, and answers to the control plane. `wire.py`: what they speak.
"""
