# Lists the recipes.
default:
    @just --list

# Runs the gate; its steps have the names of these recipes.
ci:
    .ci/run

# Checks that take longer, and reports.
nightly:
    .ci/nightly

# Runs all tests of the workspace.
test:
    cargo test --workspace --all-features

# Tests behind the installed gateways of nginx, HAProxy, Apache, Caddy, Squid and Envoy.
gateways:
    cargo test --all-features --test gateways -- --ignored --nocapture

# Checks formatting and lints.
lint: fmt clippy

# Checks formatting.
fmt:
    cargo fmt --all --check
    cargo fmt --manifest-path fuzz/Cargo.toml --check

# Lints all targets.
clippy:
    cargo clippy --workspace --all-features --all-targets -- -D warnings

# Builds and opens the documentation.
doc:
    RUSTDOCFLAGS='-D warnings' cargo doc --no-deps --all-features --package seawall-core --package seawall-test --package seawall --open

# Updates docs/public-api*.txt after an intended change of the API.
public-api:
    .ci/public-api --update

# Runs the gateway's demo once: failing upstreams without seawall and through it.
demo-gateway:
    cargo run --package seawall-gateway -- --once

# Explains why a URL fails; without one, diagnoses an embedded upstream.
diagnose *ARGUMENTS:
    cargo run --package seawall-diagnose -- {{ARGUMENTS}}

# Tests the gateway's page in headless Chromium; screenshots in target/gateway.
browser-ui:
    cargo build --package seawall-gateway
    python3 apps/gateway/tests/browser/page.py target/debug/seawall-gateway target/gateway

# Reports nanoseconds, allocations and sizes of seawall and its peers.
bench:
    cargo run --release --package benches --bin overhead

# Compares the behavior of seawall and its peers when the upstream fails.
behaviour:
    cargo run --package behaviour

# Simulates outages for seawall and its peers; plots in target/storm.
storm *ARGUMENTS:
    cargo run --release --package storm -- {{ARGUMENTS}}

# Writes benches/INSTRUCTIONS.md: the instructions that each layer adds to a call, under callgrind.
bench-instructions:
    benches/icount.sh --report

# Reports nanoseconds per call on one, two and four threads, of breakers, stacks or pending-stacks.
bench-contention job='stacks' rounds='30':
    cargo run --release --package benches --bin contention -- {{job}} {{rounds}}

# Reports the cost of a call over a socket, with bare clients, seawall and its peers.
bench-end-to-end:
    benches/end_to_end/results.sh --quick

# Writes benches/GATEWAY.md: the cost of a request through the gateway, beside other proxies.
bench-gateway *ARGUMENTS:
    benches/gateway/run.sh {{ARGUMENTS}}

# Reports the CPU time of a clean build; --crates lists each crate.
bench-compile-time *ARGUMENTS:
    benches/compile_time.sh {{ARGUMENTS}}

# Explores the thread interleavings of circuit breakers and limits with loom.
loom:
    RUSTFLAGS='--cfg seawall_loom' cargo test --lib --target-dir target/loom --no-default-features --features circuit-breaker,in-flight ::loom

# Fuzzes each parser of bytes from a peer with a million inputs (needs cargo-fuzz).
fuzz runs='1000000':
    .ci/fuzz {{runs}}

# Fuzzes the log with 100,000 hostile requests.
log-fuzzing:
    SEAWALL_HOSTILE=100000 cargo test --all-features --test it logging::fuzz

# Sends 10,000 concurrent requests through the gateway.
load-test:
    ulimit -n "$(ulimit -H -n)" && cargo test --package seawall-gateway --test load -- --ignored --nocapture

# Checks the gateway's metrics, alerts, dashboard and unit with Prometheus and systemd-analyze.
prometheus:
    cargo test --package seawall-gateway --test metrics --test deploy -- --ignored

# Checks each feature alone (needs cargo-hack).
each-feature:
    cargo hack clippy --package seawall-core --package seawall-test --package seawall --each-feature --no-dev-deps -- -D warnings

# Checks licenses, bans and sources of dependencies (needs cargo-deny).
deny:
    cargo deny --workspace --all-features check bans licenses sources

# Fails if a layer allocates more than it may.
allocations:
    cargo run --release --package benches --bin overhead -- --check

# Fails if the whole stack exceeds its ceiling of instructions (needs valgrind).
instructions:
    benches/icount.sh --check

# Finds mutations that no test detects (slow; needs cargo-mutants).
mutants:
    cargo mutants --all-features --package seawall-core --package seawall-test --package seawall -- --all-targets
