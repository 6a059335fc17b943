"""What a revision changed, field by field, and what is never shown of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bento_jupyter.cloud.revisions import changes, describe_revisions
from bento_jupyter.cloud.store import RevisionRecord
from bento_jupyter.spec import utc_now


def revision(number: int = 1, bento: str = "iris:v1", **config) -> RevisionRecord:
    return RevisionRecord(str(number), number, bento, config, True, "", utc_now())


def found(before: RevisionRecord, after: RevisionRecord) -> dict[str, tuple]:
    return {each.field: (each.change, each.before, each.after) for each in changes(before, after)}


def test_changes_are_told_by_path():
    before = revision(services={"Iris": {"scaling": {"min_replicas": 1, "max_replicas": 1}}}, secrets=[])
    after = revision(
        2,
        "iris:v2",
        services={"Iris": {"scaling": {"min_replicas": 1, "max_replicas": 3}, "instance_type": "cpu.1"}},
        secrets=["key"],
    )
    assert found(before, after) == {
        "bento": ("changed", "iris:v1", "iris:v2"),
        "secrets": ("added", None, ["key"]),
        "services.Iris.instance_type": ("added", None, "cpu.1"),
        "services.Iris.scaling.max_replicas": ("changed", 1, 3),
    }


def test_values_of_environment_variables_are_compared_and_not_shown():
    def envs(**values: str) -> list:
        return [{"name": name, "value": value} for name, value in values.items()]

    before = revision(envs=envs(A="secret-1", B="same"), services={"Iris": {"envs": envs(C="secret-2")}})
    after = revision(2, envs=envs(B="same", A="secret-3"), services={"Iris": {"envs": []}}, labels=[])
    assert found(before, after) == {
        "envs.A": ("changed", None, None),
        "services.Iris.envs.C": ("removed", None, None),
    }
    text = "".join(view.model_dump_json() for view in describe_revisions([before, after]))
    assert "secret-" not in text
    assert "same" not in text


def test_labels_are_told_by_their_keys():
    before = revision(labels=[{"key": "team", "value": "a"}])
    after = revision(2, labels=[{"key": "team", "value": "b"}, {"key": "new", "value": "x"}])
    assert found(before, after) == {"labels.team": ("changed", "a", "b"), "labels.new": ("added", None, "x")}


leaves = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
configs = st.dictionaries(
    st.sampled_from(["a", "b", "services", "labels_", "x"]),
    st.recursive(
        leaves, lambda inner: st.dictionaries(st.text(max_size=3), inner, max_size=3) | st.lists(inner)
    ),
)


@given(configs, configs)
def test_changes_are_none_to_oneself_and_mirrored_the_other_way(one, other):
    first, second = revision(1, **one), revision(2, **other)
    assert changes(first, revision(2, **one)) == []
    mirror = {"added": "removed", "removed": "added", "changed": "changed"}
    there = {each.field: (mirror[each.change], each.after, each.before) for each in changes(first, second)}
    assert there == found(second, first)
