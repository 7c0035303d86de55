# Two images of one build: `docker build --target batch` for ECS and Batch, `--target lambda` for Lambda.
FROM rust:1.95.0-slim-bookworm AS build
# The image's own toolchain: rust-toolchain.toml would fetch clippy and rustfmt as well.
ENV RUSTUP_TOOLCHAIN=1.95.0
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev make && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# What `--version` tells; the clone's history is not in the build: --build-arg ETL_COMMIT=$(git rev-parse --short=12 HEAD)
ARG ETL_COMMIT=
RUN cargo build --locked --profile dist --workspace

# TLS needs the certificates; nothing runs as root.
FROM debian:bookworm-slim AS runtime
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 65532 --no-log-init --no-create-home --shell /usr/sbin/nologin etl
WORKDIR /tmp
USER 65532

FROM runtime AS lambda
COPY --from=build /src/target/dist/bootstrap /usr/local/bin/bootstrap
ENTRYPOINT ["/usr/local/bin/bootstrap"]

# The last one is what `docker build` makes when no target is named.
FROM runtime AS batch
COPY --from=build /src/target/dist/etl-batch /src/target/dist/etl-engine /usr/local/bin/
# With a read-only root this is all that can be written. Fargate mounts over it with the rights it has here.
VOLUME /tmp
ENTRYPOINT ["/usr/local/bin/etl-batch"]
