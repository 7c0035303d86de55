# Two images of one build: `batch` for ECS and Batch, `lambda` for Lambda.
FROM rust:1.95-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev make && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cargo build --locked --profile dist --workspace

FROM gcr.io/distroless/cc-debian12:nonroot AS batch
COPY --from=build /src/target/dist/etl-batch /src/target/dist/etl-engine /usr/local/bin/
ENTRYPOINT ["/usr/local/bin/etl-batch"]

FROM public.ecr.aws/lambda/provided:al2023 AS lambda
COPY --from=build /src/target/dist/bootstrap /var/runtime/bootstrap
CMD ["etl-engine"]
