# What can be done here, by name: `just`.
default:
    @just --list

# All gates.
ci:
    .ci/run

test:
    cargo test --workspace --all-features

# nginx, HAProxy, Apache, Caddy, Squid, Envoy, whichever is installed, in front of failing origins.
gateways:
    cargo test --all-features --test gateways -- --ignored --nocapture

lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-features --all-targets -- -D warnings

doc:
    RUSTDOCFLAGS='-D warnings' cargo doc --no-deps --all-features --package seawall --open

# The public API as text, docs/public-api.txt, written anew: after a change that was meant.
public-api:
    .ci/public-api --update

# The main job, once: upstreams that fail, bare and through seawall.
demo:
    cargo run --package seawall-gateway -- --once

# Why a URL fails; without one, a broken upstream of its own.
diagnose *ARGUMENTS:
    cargo run --package seawall-diagnose -- {{ARGUMENTS}}

# The gateway's page in headless Chromium; screenshots in target/gateway.
page:
    cargo build --package seawall-gateway
    python3 apps/gateway/tests/browser/page.py target/debug/seawall-gateway target/gateway

# Nanoseconds, allocations and sizes, beside the peers.
bench:
    cargo run --release --package benches --bin overhead

# What becomes of a call when the upstream fails, beside the peers.
behaviour:
    cargo run --package behaviour

# Outages on a clock that does not wait, beside the peers; pictures in target/storm.
storm *ARGUMENTS:
    cargo run --release --package storm -- {{ARGUMENTS}}

# Instructions that each layer adds to a call, under callgrind, beside the peers: benches/INSTRUCTIONS.md.
bench-instructions:
    benches/icount.sh --report

# Nanoseconds a call on one, two and four threads, beside the peers: breakers, stacks or pending-stacks.
bench-contention job='stacks' rounds='30':
    cargo run --release --package benches --bin contention -- {{job}} {{rounds}}

# Cost of a call over a socket, beside bare clients and the peers.
bench-end-to-end:
    benches/end_to_end/results.sh --quick

# CPU time of a build from scratch, beside a bare client and the peers; --crates for that of each crate.
bench-compile-time *ARGUMENTS:
    benches/compile_time.sh {{ARGUMENTS}}

# Every order in which threads can use a circuit breaker.
loom:
    RUSTFLAGS='--cfg seawall_loom' cargo test --lib --target-dir target/loom --no-default-features --features circuit-breaker,in-flight ::loom

# A million inputs to each of what reads the bytes of a peer (needs cargo-fuzz).
fuzz runs='1000000':
    for target in proxy_status retry_after fingerprint peek; do RUSTC_BOOTSTRAP=1 cargo fuzz run --sanitizer none --target-dir target/fuzz $target -- -runs={{runs}} -max_len=6000 || exit 1; done

# Changes in the code that no test notices (slow; needs cargo-mutants).
mutants:
    cargo mutants --all-features --package seawall -- --all-targets
