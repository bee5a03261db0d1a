# One image for API, worker, Beat and migrations; the last stage is it. `--target sandbox` has the simulated world as well.
#
# The base is pinned by its tag here. Whoever builds for production pins it to the byte, with the digest that their
# registry shows: --build-arg PYTHON=python:3.13-slim-trixie@sha256:…
ARG PYTHON=python:3.13-slim-trixie


# What is installed: the lock, wheels only, each with the hash that it has there. Nothing is compiled from source.
FROM ${PYTHON} AS packages
COPY requirements/production.txt /tmp/production.txt
RUN python -m venv --without-pip /opt/jetway && \
    python -m pip --python /opt/jetway/bin/python install --no-cache-dir --no-compile --disable-pip-version-check \
        --quiet --require-hashes --only-binary :all: --requirement /tmp/production.txt && \
    find /opt/jetway -type d -name tests -prune -exec rm -rf {} + && \
    /opt/jetway/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/jetway/lib


# The product, compiled here because nobody can write beside it later. Bytecode that knows its source by hash and not by
# date is the same in every build, and is not looked up again at every start.
FROM ${PYTHON} AS code
WORKDIR /srv/jetway
COPY alembic.ini ./
COPY migrations ./migrations
COPY app ./app
RUN python -m compileall -q --invalidation-mode unchecked-hash .


# What both images stand on: Python without its installer, and a user who owns nothing.
FROM ${PYTHON} AS base
RUN python -m pip uninstall --yes --quiet --root-user-action ignore pip && \
    rm -rf /usr/local/lib/python3.*/ensurepip && \
    groupadd --gid 10001 jetway && \
    useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin jetway
# uvicorn reads its options from here, so that each of its starts has them: its own word on proxies is not wanted
# (TRUSTED_PROXIES is), connections are kept longer than the proxy before it keeps them, and streams do not hold up an end.
ENV PATH=/opt/jetway/bin:$PATH \
    HOME=/tmp \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    UVICORN_PROXY_HEADERS=false \
    UVICORN_SERVER_HEADER=false \
    UVICORN_ACCESS_LOG=false \
    UVICORN_TIMEOUT_KEEP_ALIVE=75 \
    UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN=10
WORKDIR /srv/jetway
COPY --from=packages /opt/jetway /opt/jetway
COPY --from=code /srv/jetway ./
USER 10001:10001


FROM base AS sandbox
COPY sandbox ./sandbox
EXPOSE 8001 8025
CMD ["python", "-m", "sandbox", "--host", "0.0.0.0", "--port", "8001", "--smtp-port", "8025"]


FROM base AS jetway
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="jetway" \
      org.opencontainers.image.description="A flight booking backend: API, worker, Beat and migrations" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
EXPOSE 8000
# Of the API. Worker and Beat have `python -m app alive worker` and `python -m app alive beat`.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0", "--port", "8000"]
