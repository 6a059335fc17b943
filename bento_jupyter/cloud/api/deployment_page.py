"""The page of one deployment: the same as the sidebar's detail view, plain HTML. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from ...insight import MetricsView, RevisionChange, RevisionView
from ...spec import FAILED_STATUSES, READY_STATUSES, InstanceState, Status, utc_now
from ...views import DeploymentView, Event, LogLine
from .charts import metric_charts
from .html import Content, Html, table, tag

__all__ = ["Details", "badge", "deployment_content"]

_OFF = (Status.TERMINATED, Status.TERMINATING)


@dataclass(frozen=True)
class Details:
    """What the page shows.

    Attributes:
        view: The deployment.
        revisions: Newest first.
        events: Newest first.
        metrics: Its metrics.
        lines: Its log.
        q: What the log was searched for.
        source: Of which instance the log is; "" = all.
        csrf: What a form has to bring to be believed.
        here: Path of the page.
    """

    view: DeploymentView
    revisions: Sequence[RevisionView]
    events: Sequence[Event]
    metrics: MetricsView
    lines: Sequence[LogLine]
    q: str
    source: str
    csrf: str
    here: str


def badge(view: DeploymentView) -> Html:
    """The status as a word in a colour."""
    kind = "good" if view.status in READY_STATUSES else "bad" if view.status in FAILED_STATUSES else "wait"
    return tag("span", view.status.value, class_=f"badge {kind}")


def deployment_content(details: Details) -> list[Content]:
    """Everything below the heading."""
    view = details.view
    return [
        tag("p", badge(view), " ", view.reason, role="status"),
        _facts(view),
        tag("div", _actions(details), class_="row"),
        _section("Instances", "instances", _instances(view)),
        _section(
            "Metrics", "metrics", _span_links(details), metric_charts(details.metrics, utc_now().timestamp())
        ),
        _cold_starts(details.metrics),
        _section("Revisions", "revisions", _revisions(details)),
        _section("What it can be asked", "endpoints", _endpoints(view)),
        _section("Events", "events", _events(details.events)),
        _section("Log", "log", _log_form(details), _log(details)),
    ]


def _section(title: str, anchor: str, *content: Content) -> Html:
    return tag("section", tag("h2", title, id=anchor), content, aria_labelledby=anchor)


def _facts(view: DeploymentView) -> Html:
    scaling = view.scaling
    queue = "no limit" if scaling.concurrency is None else str(scaling.concurrency)
    facts: dict[str, Content] = {
        "Health": tag("span", "healthy", class_="good")
        if view.healthy
        else tag("span", "does not answer", class_="bad"),
        "URL": tag("a", view.url, href=view.url) if view.url else "none",
        "Mode": f"{view.mode.full_name}: {view.mode.meaning}",
        "Bento": tag("code", view.bento),
        "Image": _image(view),
        "Instances": f"{view.ready} of {view.wanted} ready; {scaling.min} to {scaling.max} of type "
        f"{view.instance_type}; requests per instance: {queue}",
        "Requests": f"{view.requests} answered, {view.errors} failed, {view.in_flight} in flight, "
        f"{view.queued} queued",
        "Callers": "need a token" if view.protected else "need no token",
        "Variables": ", ".join(view.envs) or "none",
        "Labels": ", ".join(f"{key}={value}" for key, value in view.labels.items()) or "none",
        "Revision": str(view.revision),
        "Created": [_time(view.created_at), f" by {view.creator}" if view.creator else ""],
    }
    return tag("dl", [[tag("dt", name), tag("dd", value)] for name, value in facts.items()])


def _image(view: DeploymentView) -> str:
    image = view.image
    if image is None:
        return "not known yet"
    took = "" if image.seconds is None else f" in {image.seconds:.1f} s"
    how = " (was there already)" if image.cached else took
    return f"{image.status}{how}" + (f": {image.reason}" if image.reason else "")


def _actions(details: Details) -> list[Html]:
    if details.view.status in _OFF:
        return [_button(details, "start", "Start")]
    return [_button(details, "restart", "Restart"), _button(details, "terminate", "Terminate")]


def _button(details: Details, action: str, label: str, description: str = "", **values: int) -> Html:
    return tag(
        "form",
        tag("input", type="hidden", name="csrf", value=details.csrf),
        [tag("input", type="hidden", name=name, value=value) for name, value in values.items()],
        tag("button", label, aria_label=description or None),
        method="post",
        action=f"{details.here}/{action}",
    )


def _instances(view: DeploymentView) -> Html:
    heads = (
        "Instance",
        "State",
        "Why",
        "Age",
        "Memory",
        "CPU",
        "In flight",
        "Restarts",
        "Cold start",
        "Process",
    )
    rows = [
        [
            tag("code", each.id),
            each.state.value,
            each.reason,
            _duration(each.age_seconds),
            "" if each.memory_bytes is None else _size(each.memory_bytes),
            "" if each.cpu is None else f"{each.cpu * 100:.0f} %",
            str(each.in_flight),
            str(each.restarts),
            "" if each.cold_start is None else f"{each.cold_start.seconds:.2f} s",
            "" if each.pid is None or each.state is InstanceState.FAILED else str(each.pid),
        ]
        for each in view.instances
    ]
    return table("Instances, newest last", heads, rows)


def _span_links(details: Details) -> Html:
    is_day = details.metrics.step == 60
    minutes = tag(
        "a", "last 15 minutes", href=f"{details.here}#metrics", aria_current=None if is_day else "true"
    )
    day = tag(
        "a", "last day", href=f"{details.here}?step=60#metrics", aria_current="true" if is_day else None
    )
    overall = ", ".join(f"{name} {seconds:.3g} s" for name, seconds in details.metrics.latency.items())
    return tag("p", minutes, " · ", day, f" · latency since the start: {overall}" if overall else "")


def _cold_starts(metrics: MetricsView) -> Html | None:
    if not metrics.cold_starts:
        return None
    rows = [
        [
            _time(each.at),
            tag("code", each.instance),
            f"{each.seconds:.2f} s",
            ", ".join(f"{phase} {seconds:.2f} s" for phase, seconds in each.phases.items()),
        ]
        for each in reversed(metrics.cold_starts[-10:])
    ]
    return table("Cold starts, newest first", ("When", "Instance", "Took", "Phases"), rows)


def _revisions(details: Details) -> Html:
    rows = [
        [
            str(each.number),
            _time(each.created_at),
            tag("code", each.bento),
            tag("ul", [tag("li", _change(change)) for change in each.changes]) if each.changes else None,
            each.note,
            tag("strong", "active")
            if each.active
            else _button(
                details, "rollback", "Roll back", f"Roll back to revision {each.number}", revision=each.number
            ),
        ]
        for each in details.revisions
    ]
    return table("Revisions, newest first", ("No.", "When", "Bento", "What changed", "Why", ""), rows)


def _rollback(details: Details, number: int) -> Html:
    return _button(details, "rollback", "Roll back", f"Roll back to revision {number}", revision=number)


def _change(change: RevisionChange) -> str:
    if change.before is None and change.after is None:
        return f"{change.field} {change.change}"
    if change.change == "changed":
        return f"{change.field}: {_json(change.before)} → {_json(change.after)}"
    return f"{change.field} {change.change}: {_json(change.before if change.after is None else change.after)}"


def _json(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _endpoints(view: DeploymentView) -> Html:
    rows = [
        [each.name, tag("code", f"POST {view.url or ''}{each.route}"), tag("code", each.example)]
        for each in view.endpoints
    ]
    return table("Endpoints", ("Name", "Call", "Example body"), rows)


def _events(events: Sequence[Event]) -> Html:
    rows = [[_time(each.at), str(each.revision or ""), each.message] for each in events]
    return table("Events, newest first", ("When", "Revision", "What"), rows)


def _log_form(details: Details) -> Html:
    sources = ["", "image", *(each.id for each in details.view.instances)]
    options = [tag("option", each or "all", value=each, selected=each == details.source) for each in sources]
    return tag(
        "form",
        tag("label", "Search ", tag("input", type="search", name="q", value=details.q, maxlength=1000)),
        tag("label", "of ", tag("select", options, name="source")),
        tag("button", "Show"),
        method="get",
        action=f"{details.here}#log",
        class_="row",
    )


def _log(details: Details) -> Html:
    if not details.lines:
        return tag("p", "No lines.", class_="soft")
    several = len({line.source for line in details.lines}) > 1
    written = "\n".join(f"{line.source}  {line.text}" if several else line.text for line in details.lines)
    # Set from the bottom up, so that the newest lines are seen first.
    return tag("pre", tag("span", written), tabindex=0, aria_label="Log, newest line last")


def _time(at: datetime) -> Html:
    return tag("time", f"{at.astimezone():%Y-%m-%d %H:%M:%S}", datetime=at.isoformat())


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds < 172_800 else f"{seconds / 86_400:.0f} d"


def _size(count: int) -> str:
    return f"{count / 2**20:.0f} MiB" if count < 2**30 else f"{count / 2**30:.2f} GiB"


def path_of(view: DeploymentView) -> str:
    """Path of a deployment's page."""
    return f"/deployments/{quote(view.name)}"
