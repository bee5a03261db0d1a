"""Settings of those who run the product: logs, metrics, traces, and how a process ends."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings

from app.core import written


class Operating(BaseSettings):
    secrets_dir: Annotated[str, AfterValidator(written.a_folder)] = Field(
        default="",
        description="A folder of files that are called like these variables, such as /run/secrets/JWT_SECRET: what "
        "Docker, Kubernetes, systemd and the agents of vaults write. A variable that is set goes before its file. This "
        "one is read from the environment alone.",
    )
    process: Literal["", "worker", "beat", "migration"] = Field(
        default="",
        description="Which process this is, where each is given its own secrets alone. A `worker` needs no JWT_SECRET "
        "and no STRIPE_WEBHOOK_SECRET; `beat` and `migration`, which is `python -m app prepare` too, need PostgreSQL "
        "and Redis only. What such a process lacks it draws for itself, so that nobody takes what it would sign. "
        "Empty: it has all of them.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="The least severe message that is logged."
    )
    log_format: Literal["", "console", "json"] = Field(
        default="",
        description="Lines for people (`console`) or for machines (`json`, Elastic Common Schema). Empty: console in "
        "development, json elsewhere.",
    )
    worker_metrics_address: str = Field(
        default="",
        description="Where a worker's first process serves its metrics, without a token, as `127.0.0.1:9810`; the "
        "second one does so at the next port, and so on. Empty: nowhere.",
    )
    metrics_dir: str = Field(
        default="",
        description="Where API processes that share a port leave their numbers for each other, so that whichever of "
        "them is asked at /admin/metrics tells of all. Empty: each tells of itself.",
    )
    otel_exporter_otlp_endpoint: Annotated[str, AfterValidator(written.a_collector)] = Field(
        default="",
        description="Where traces are sent by OTLP over HTTP, such as http://localhost:4318. Empty: there are none, "
        "and they cost nothing.",
    )
    otel_traces_sampler_arg: float = Field(
        default=0.1,
        ge=0,
        le=1,
        description="The part of the requests and tasks that is traced where nobody upstream has decided it.",
    )
    drain_seconds: float = Field(
        default=0,
        ge=0,
        le=60,
        description="How long a process that is asked to end still takes requests while /readyz says that it ends, so "
        "that whoever sends them finds out first, in seconds.",
    )
