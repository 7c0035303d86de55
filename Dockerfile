# Two images of one build: `docker build --target batch` for ECS and Batch, `--target lambda` for Lambda.
# For a build that can be repeated give the bases by digest (--build-arg RUST=rust@sha256:..) and a time (SOURCE_DATE_EPOCH).
ARG RUST=rust:1.95.0-slim-bookworm
ARG DEBIAN=debian:bookworm-slim

FROM ${RUST} AS build
# The image's own toolchain: rust-toolchain.toml would fetch clippy and rustfmt as well.
ENV RUSTUP_TOOLCHAIN=1.95.0
# No versions: these are tools of the build only, and Debian drops a version as soon as there is a fixed one.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates gcc libc6-dev make \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# What `--version` tells; the clone's history is not in the build: --build-arg ETL_COMMIT=$(git rev-parse --short=12 HEAD)
ARG ETL_COMMIT=
RUN cargo build --locked --profile dist --workspace

# Nothing is installed here and nobody is added, so there is nothing that differs from build to build but the base. TLS needs
# the certificates; a user needs no name.
FROM ${DEBIAN} AS runtime
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
WORKDIR /tmp
USER 65532:65532

FROM runtime AS lambda
COPY --from=build /src/target/dist/bootstrap /usr/local/bin/
ENTRYPOINT ["/usr/local/bin/bootstrap"]

# The last one is what `docker build` makes when no target is named.
FROM runtime AS batch
COPY --from=build /src/target/dist/etl-batch /src/target/dist/etl-engine /usr/local/bin/
# With a read-only root this is all that can be written. Fargate mounts over it with the rights it has here.
VOLUME /tmp
ENTRYPOINT ["/usr/local/bin/etl-batch"]
