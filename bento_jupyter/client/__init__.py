"""Clouds and endpoints, over HTTP: the embedded cloud and BentoCloud through the same `bentoml` client."""
