"""What Elasticsearch, Kibana and Filebeat are given, as far as it can be told without them.

None of the three comes as a package, so they do not run here: that each line which the product writes fits the mapping
is shown where the product runs, and setup.sh speaks to a server that only listens.
"""

import ast
import json
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import yaml

from tests.contracts.test_architecture import files
from tests.support.ecs import ALWAYS, mapping
from tests.support.stack import ROOT

ELK = ROOT / "deploy/elk"
# What traces call things that lines call otherwise.
OF_SPANS = {"jetway.event.id"}
# The last hands on what it is given to a line.
SAYS = {
    "debug",
    "info",
    "warning",
    "error",
    "exception",
    "log",
    "say",
    "bound_contextvars",
    "_whatever_comes",
}


def sources() -> list[str]:
    return [path.read_text() for path in files("app")]


def said() -> set[str]:
    """Every keyword that a line of the product's is given."""
    words = set()
    for source in sources():
        if "logger(" not in source:
            continue
        for node in ast.walk(ast.parse(source)):
            called = node.func if isinstance(node, ast.Call) else None
            by_us = isinstance(called, ast.Name) or (
                isinstance(called, ast.Attribute)
                and ast.unparse(called.value) in ("log", "structlog.contextvars")
            )
            if by_us and getattr(called, "attr", getattr(called, "id", "")) in SAYS:
                words |= {word.arg for word in node.keywords if word.arg}
    return words - {"exc_info", "asked_for"}


def test_every_field_that_the_product_writes_is_in_the_mapping() -> None:
    """Whether or not anything has made it write that line yet."""
    told = {f"jetway.{word}" for word in said()}
    source = "".join(sources())
    literally = set(re.findall(r'"(jetway\.(?:\w+\.)+\w+)"', source)) - OF_SPANS

    assert len(told) > 30
    assert (told | ALWAYS) - mapping().keys() == set()
    assert literally - mapping().keys() == set()
    assert "jetway.search.lowest_price" in literally
    ours = {name for name in mapping() if name.startswith("jetway.")}
    assert {name for name in ours - told if name not in source} == set()


def test_no_field_is_both_a_value_and_an_object() -> None:
    """Elasticsearch would refuse every line that has the other."""
    names = mapping().keys()

    assert [one for one in names for other in names if other.startswith(f"{one}.")] == []


def test_the_mapping_grows_by_nobody_but_us() -> None:
    """A field that it does not name is kept and not searched; ours are its own or the schema's."""
    template = json.loads((ELK / "index-template.json").read_text())

    assert template["template"]["mappings"]["dynamic"] is False
    assert template["data_stream"] == {}
    assert len(mapping()) < template["template"]["settings"]["index"]["mapping"]["total_fields"]["limit"]


def saved() -> dict[tuple[str, str], dict[str, Any]]:
    objects = [json.loads(line) for line in (ELK / "kibana.ndjson").read_text().splitlines()]
    return {(one["type"], one["id"]): one for one in objects}


def test_what_kibana_shows_is_there() -> None:
    """Every reference leads to an object of the file, and every panel is referred to."""
    known = saved()

    assert {kind for kind, _ in known} == {"index-pattern", "search", "lens", "dashboard"}
    for one in known.values():
        assert [
            (ref["type"], ref["id"]) for ref in one["references"] if (ref["type"], ref["id"]) not in known
        ] == []
        if one["type"] == "dashboard":
            panels = json.loads(one["attributes"]["panelsJSON"])
            assert {f"{panel['panelIndex']}:{panel['panelRefName']}" for panel in panels} == {
                ref["name"] for ref in one["references"]
            }


def test_what_kibana_counts_is_written() -> None:
    """The fields of every column and of every query are in the mapping; what is summed up is a number."""
    for one in saved().values():
        text = json.dumps(one)
        queries = re.findall(r'\\*"query\\*": ?\\*"([^"\\]+)', text)
        for query in queries:
            fields = re.findall(r"([\w.@]+) ?(?::|>=|<)", query)
            assert fields
            assert set(fields) - mapping().keys() == set(), query
        if one["type"] == "search":
            assert set(one["attributes"]["columns"]) - mapping().keys() == set()
        if one["type"] == "lens":
            [layer] = one["attributes"]["state"]["datasourceStates"]["formBased"]["layers"].values()
            shown = one["attributes"]["state"]["visualization"]
            assert layer["columnOrder"] == list(layer["columns"])
            assert set(
                re.findall(r'"(?:columnId|xAccessor|splitAccessor)": "(\w+)"', json.dumps(shown))
            ) <= set(layer["columns"])
            for column in layer["columns"].values():
                field, operation = column["sourceField"], column["operationType"]
                if field != "___records___":
                    kind = mapping()[field]["type"]
                    wanted = {"terms": {"keyword"}, "date_histogram": {"date"}}.get(
                        operation, {"long", "double"}
                    )
                    assert kind in wanted, (one["id"], field)


def test_filebeat_sends_what_is_ours_where_the_template_waits() -> None:
    """By names that the environment gives, and under the id of the event."""
    told = yaml.safe_load((ELK / "filebeat.yml").read_text())
    output, [source] = told["output.elasticsearch"], told["filebeat.inputs"]
    patterns = json.loads((ELK / "index-template.json").read_text())["index_patterns"]
    streams = ("app", "access", "tasks", "business")

    index = [output["index"].replace("%{[event.dataset]}", f"jetway.{name}") for name in streams]
    assert all(re.fullmatch(patterns[0].replace(".", r"\.").replace("*", ".*"), one) for one in index)
    assert set(re.findall(r"\$\{(\w+)", (ELK / "filebeat.yml").read_text())) == {
        "ELASTICSEARCH_HOSTS",
        "ELASTICSEARCH_USERNAME",
        "ELASTIC_PASSWORD",
    }
    assert [next(iter(parser)) for parser in source["parsers"]] == ["container", "ndjson"]
    ours = re.compile(told["processors"][0]["drop_event"]["when.not.regexp"]["event.dataset"])
    assert all(ours.match(f"jetway.{name}") for name in streams)
    dropped = next(one["drop_fields"]["fields"] for one in told["processors"] if "drop_fields" in one)
    assert [
        name for name in mapping() for gone in dropped if name == gone or name.startswith(f"{gone}.")
    ] == []


class Listener(BaseHTTPRequestHandler):
    """Takes whatever it is sent, or refuses it, and writes it down."""

    heard: list[tuple[str, str, str, bytes]]
    answer = 200

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.heard.append((self.command, self.path, self.headers["Authorization"], body))
        self.send_response(self.answer)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_POST = do_PUT  # noqa: N815  The library names it.

    def log_message(self, *_: Any) -> None:
        """Nothing: what it heard is asked for."""


@pytest.fixture
def listener() -> Iterator[tuple[type[Listener], str]]:
    handler = type("Listening", (Listener,), {"heard": []})
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield handler, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def set_up(url: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "ELASTICSEARCH_URL": url, "ELASTIC_PASSWORD": "s3cret", **more}
    return subprocess.run(["sh", ELK / "setup.sh"], env=environment, capture_output=True, text=True)


def test_setup_tells_everything_to_everybody(listener: tuple[type[Listener], str]) -> None:
    """Policies before the templates that name them; the business's lines and the audit log's are kept longer."""
    handler, url = listener

    done = set_up(url, KIBANA_URL=url, KIBANA_PASSWORD="k", FILEBEAT_PASSWORD="f", LOGS_KEPT="14d")

    assert done.returncode == 0, done.stderr
    assert [path for _, path, _, _ in handler.heard] == [
        "/_ilm/policy/jetway-logs",
        "/_ilm/policy/jetway-business",
        "/_ilm/policy/jetway-audit",
        "/_index_template/jetway-logs",
        "/_index_template/jetway-business",
        "/_index_template/jetway-audit",
        "/_security/user/kibana_system/_password",
        "/_security/role/jetway_writer",
        "/_security/user/jetway_writer",
        "/api/saved_objects/_import?overwrite=true",
    ]
    assert len({credentials for _, _, credentials, _ in handler.heard}) == 1
    told = [json.loads(body) for _, _, _, body in handler.heard[:-1]]
    assert [one["policy"]["phases"]["delete"]["min_age"] for one in told[:3]] == ["14d", "400d", "400d"]
    logs, *longer = told[3:6]
    assert [one["index_patterns"] for one in longer] == [["logs-jetway.business-*"], ["logs-jetway.audit-*"]]
    names = [one["template"]["settings"]["index"]["lifecycle"]["name"] for one in (logs, *longer)]
    assert names == ["jetway-logs", "jetway-business", "jetway-audit"]
    for one in longer:
        assert one["priority"] > logs["priority"]
        assert one["template"]["mappings"] == logs["template"]["mappings"]
    assert (ELK / "kibana.ndjson").read_bytes() in handler.heard[-1][3]
    [writer] = [body for _, path, _, body in handler.heard if path == "/_security/role/jetway_writer"]
    assert json.loads(writer)["indices"][0]["privileges"] == ["auto_configure", "create_doc"]
    assert "s3cret" not in done.stdout + done.stderr


def test_setup_stops_where_it_is_refused(listener: tuple[type[Listener], str]) -> None:
    """Instead of going on with half of it, and says what is missing before it begins."""
    handler, url = listener
    handler.answer = 401

    refused, untold = set_up(url), set_up("")

    assert refused.returncode != 0
    assert len(handler.heard) == 1
    assert untold.returncode != 0
    assert "ELASTICSEARCH_URL" in untold.stderr
