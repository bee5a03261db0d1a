"""docker-compose.yml: both docker-composes read it, and whatever it names is there."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from app.core.config import Settings
from tests.deploy.composed import FIRST, PROFILES, SECOND, checkout, config, services, understood, written
from tests.support.stack import ROOT

PRODUCT = ("migrate", "api", "api2", "worker", "beat")
# Secrets that the product has no use for, and what others read in the same environment: uvicorn, Compose, `prepare`.
NOT_OURS_OF = ("POSTGRES_SUPERUSER", "POSTGRES_OWNER", "GRAFANA", "ELASTIC", "KIBANA", "FILEBEAT")
NOT_OURS = {f"{name}_PASSWORD" for name in NOT_OURS_OF}
OF_OTHERS = NOT_OURS | {
    *(
        "WEB_CONCURRENCY",
        "COMPOSE_PROFILES",
        "DOMAIN",
        "CERTIFICATE",
        "DEMO_EMAIL",
        "DEMO_PASSWORD",
        "REDIS_PASSWORD",
    )
}
NAMES = tuple(yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"])
KNOWN = {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize("compose", [FIRST, SECOND], ids=["1.29", "2"])
def test_it_is_read_with_every_profile_and_with_none(compose: str) -> None:
    """By both generations, and to the same services."""
    with checkout() as folder:
        written(folder, "flights.example.com")
        plain, all_of_it = config(compose, folder), config(compose, folder, *PROFILES)

    assert (plain.returncode, all_of_it.returncode) == (0, 0), plain.stderr + all_of_it.stderr
    assert set(yaml.safe_load(all_of_it.stdout)["services"]) == set(services())
    if compose == SECOND:  # The first one prints what is off as well.
        assert set(yaml.safe_load(plain.stdout)["services"]) == {
            *PRODUCT,
            "owners",
            "postgres",
            "redis",
            "traefik",
        }


@pytest.mark.parametrize("compose", [FIRST, SECOND], ids=["1.29", "2"])
def test_nothing_starts_before_secrets_are_made(compose: str) -> None:
    """And it is said how to make them."""
    with checkout() as folder:
        refused = config(compose, folder)

    assert refused.stdout == ""
    assert "run deploy/env.sh first" in refused.stderr


def test_secrets_are_strong_and_different_each_time() -> None:
    """As production wants them; nobody else on the host can read them, and they are never written over."""
    made = []
    for _ in range(2):
        with checkout() as folder:
            written(folder, "flights.example.com")
            assert (folder / ".env").stat().st_mode & 0o077 == 0
            made.append(_variables(folder / ".env"))
            with pytest.raises(Exception, match="returned non-zero"):
                written(folder, "other.example.com")
            token = (folder / "deploy/secrets/admin_metrics_token").read_text()
            assert token == _variables(folder / ".env")["ADMIN_METRICS_TOKEN"]

    secret = [
        name for name in made[0] if re.search("SECRET_?K?E?Y?$|KEY$|TOKEN|PASSWORD", name) and made[0][name]
    ]
    assert len(secret) == 12
    assert len({one[name] for one in made for name in secret}) == 24
    with pytest.raises(ValidationError, match="AVIATIONSTACK_KEY is missing") as refused:
        understood(services()["api"]["environment"])
    assert str(refused.value).count("; ") == 0  # That is all it lacks.
    assert (
        understood(services()["api"]["environment"] | {"AVIATIONSTACK_KEY": "of-somebody"}).app_env
        == "production"
    )


def test_the_sandbox_is_complete() -> None:
    """Started with it, no vendor is left that is a real one, and nothing is to be filled in."""
    with checkout() as folder:
        written(folder, "--sandbox")
        done = config(SECOND, folder)
    composed = yaml.safe_load(done.stdout)["services"]
    given = composed["api"]["environment"]
    read = understood(given)

    assert "sandbox" in composed
    assert read.app_env == "development"
    asked = (read.aviationstack_base_url, read.opensky_base_url, read.opensky_token_url, read.stripe_api_base)
    assert {url.partition("/v1")[0].split("/")[2] for url in asked} == {"sandbox:8001"}
    assert given["STRIPE_WEBHOOK_SECRET"] == composed["sandbox"]["environment"]["STRIPE_WEBHOOK_SECRET"]


def test_every_variable_is_a_setting() -> None:
    """Of the product, or of one of the others that are listed above."""
    with checkout() as folder:
        written(folder, "--sandbox")
        sandbox = _variables(folder / ".env")
    for name in PRODUCT:
        assert set(services()[name]["environment"]) - KNOWN - OF_OTHERS == set()
    assert set(sandbox) - KNOWN - OF_OTHERS == set()
    named = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))
    by_hand = {
        "VERSION",
        "PYTHON",
        "API_PROCESSES",
        "WORKER_PROCESSES",
        "POSTGRES_ARCHIVE",
        "BACKUP_DIR",
        "HTTP_PORT",
    }
    assert named - KNOWN - OF_OTHERS - by_hand == {"HTTPS_PORT", "ADMIN_NETWORKS"}


def test_every_file_that_is_mounted_is_there() -> None:
    """Docker would make a folder in its place, and the service would start without it."""
    missing = [
        mount["source"]
        for service in services().values()
        for mount in service.get("volumes", [])
        if mount["type"] == "bind"
        and mount["source"].startswith(f"{ROOT}/deploy/")
        # A part of deploy/ may not be there at all; what is of a part that is has to be whole.
        and (ROOT / "deploy" / Path(mount["source"]).relative_to(ROOT / "deploy").parts[0]).exists()
        and not Path(mount["source"]).exists()
    ]

    assert missing == []


@pytest.mark.parametrize("name", NAMES)
def test_a_service_can_do_no_more_than_it_has_to(name: str) -> None:
    """No root, no capabilities, no writing but where it must, no more memory or log than its part of the host."""
    service = services()[name]

    assert service["cap_drop"] == ["ALL"]
    assert service.get("cap_add", []) == {"owners": ["CHOWN"], "filebeat": ["DAC_READ_SEARCH"]}.get(name, [])
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service.get("read_only", False) is (name not in ("elasticsearch", "kibana"))
    assert service.get("user", "the image's").startswith("0") is (name in ("owners", "filebeat"))
    assert not service.get("privileged")
    assert int(service["mem_limit"]) <= 2 * 1024**3
    assert 0 < service["cpus"] <= 2
    assert service["logging"]["options"] == {"max-file": "5", "max-size": "20m"}
    assert service["restart"] == ("no" if name in ("migrate", "owners", "elk") else "unless-stopped")
    assert re.search(r":(v?\d+\.\d+\.?\d*[\w.-]*(@sha256:[0-9a-f]{64})?|local)$", service["image"]), (
        "of a version"
    )


def test_images_of_others_are_named_to_the_byte() -> None:
    """A tag can be moved. Whose bytes nobody but one has told of keep their version alone."""
    others = {
        image for service in services().values() if not (image := service["image"]).startswith("jetway")
    }
    by_version = {image.partition(":")[0] for image in others if "@sha256:" not in image}

    assert len(others) == 9
    assert by_version == {"elasticsearch", "kibana", "elastic/filebeat"}


def test_elastic_is_of_one_version() -> None:
    """Kibana and Filebeat refuse an Elasticsearch that is older than they are."""
    named = [service["image"] for service in services().values()]

    assert len({one.rpartition(":")[2] for one in named if re.match("elastic|kibana", one)}) == 1


def test_what_is_secret_is_not_in_reach_of_the_edge() -> None:
    """PostgreSQL and Redis share a network with those who use them, which leads nowhere; the world meets Traefik."""
    composed = services()
    inside = {name for name, service in composed.items() if "data" in service.get("networks", {})}
    published = {
        name: [port for port in service.get("ports", []) if port.get("host_ip") != "127.0.0.1"]
        for name, service in composed.items()
    }

    assert inside == {*PRODUCT, "postgres", "redis"}
    assert set(composed["postgres"]["networks"]) == set(composed["redis"]["networks"]) == {"data"}
    assert {name for name, ports in published.items() if ports} == {"traefik"}
    text = (ROOT / "docker-compose.yml").read_text()
    assert "data: {internal: true}" in text
    assert (
        composed["api"]["environment"]["TRUSTED_PROXIES"]
        == composed["traefik"]["networks"]["edge"]["ipv4_address"]
    )
    # By a name in that network alone, or the address would be another one.
    assert composed["traefik"]["environment"]["API_URLS"] == "http://api.edge:8000,http://api2.edge:8000"
    assert "api.edge" in composed["api"]["networks"]["edge"]["aliases"]
    assert "api2.edge" in composed["api2"]["networks"]["edge"]["aliases"]
    for name in PRODUCT:
        assert {composed[name]["environment"][one] for one in NOT_OURS} == {""}
        # In that network, and only there, they are spoken to in the clear.
        assert composed[name]["environment"]["PLAIN_HOSTS"] == "postgres,redis"


@pytest.mark.parametrize(
    ("name", "knows"),
    [
        ("worker", {"SECRET_KEY", "ENCRYPTION_KEY", "POSTGRES_PASSWORD"}),
        ("beat", {"POSTGRES_PASSWORD"}),
        ("migrate", {"POSTGRES_PASSWORD"}),
    ],
)
def test_a_process_knows_its_own_secrets_and_starts_with_them(name: str, knows: set[str]) -> None:
    """The worker with the vendor's key, which its operator fills in."""
    given = services()[name]["environment"]
    mine = {one for one in given if given[one] and re.search("SECRET|_KEY$|TOKEN|PASSWORD$", one)}
    filled_in = {"AVIATIONSTACK_KEY": "of-somebody"} if name == "worker" else {}

    assert mine - {"REDIS_PASSWORD"} == knows
    assert given["POSTGRES_USER"] == ("jetway_owner" if name == "migrate" else "jetway_app")
    assert (
        given["POSTGRES_PASSWORD"]
        == (
            services()["postgres"]["environment"][
                "JETWAY_OWNER_PASSWORD" if name == "migrate" else "JETWAY_PASSWORD"
            ]
        )
    )
    assert understood(given | filled_in).app_env == "production"


def test_what_needs_another_waits_for_it() -> None:
    """Nothing of the product runs before the tables are those that it knows."""
    waits = {name: service.get("depends_on", {}) for name, service in services().items()}

    assert waits["migrate"]["postgres"]["condition"] == "service_healthy"
    for name in ("api", "api2", "worker", "beat"):
        assert waits[name]["migrate"]["condition"] == "service_completed_successfully"
    assert services()["migrate"]["command"][-1].startswith("alembic upgrade head")


def test_both_apis_are_the_same_one() -> None:
    """But for their names; they share the limits of all processes, and whoever ends says so for long enough."""
    one, other = services()["api"], services()["api2"]

    assert {name: value for name, value in one.items() if name != "networks"} == {
        name: value for name, value in other.items() if name != "networks"
    }
    given = one["environment"]
    assert int(given["API_PROCESSES"]) == 2 * int(given["WEB_CONCURRENCY"])
    dynamic = (ROOT / "deploy/traefik/dynamic.yml").read_text()
    asks = re.search(r'healthCheck: {path: "/readyz\?exclude=postgres", interval: (\d+)ms', dynamic)
    assert asks
    assert float(given["DRAIN_SECONDS"]) > 2 * int(asks[1]) / 1000
    for network in ("edge", "watch"):  # Prometheus and the sandbox ask for `api`, and find both.
        assert "api" in other["networks"][network]["aliases"]


def test_everybody_gets_the_time_they_need_to_end() -> None:
    """Before Docker makes them."""
    from app.core import background

    composed = services()

    assert _seconds(composed["worker"]) > background._ENDS_WITHIN_SECONDS + 10
    assert (
        _seconds(composed["api"]) >= 10 + 15
    )  # What UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN gives answers, and some draining.


def _seconds(service: dict[str, Any]) -> int:
    found = re.fullmatch(r"(?:(\d+)m)?(?:(\d+)s)?", service["stop_grace_period"])
    assert found
    return int(found[1] or 0) * 60 + int(found[2] or 0)


def _variables(path: Path) -> dict[str, str]:
    lines = (
        line.partition("=") for line in path.read_text().splitlines() if line and not line.startswith("#")
    )
    return {name: value for name, _, value in lines}
