#!/usr/bin/env bash
# CPU time of a debug build from scratch, of small programs that make the same call: Markdown tables.
#
#   compile_time.sh [REPETITIONS]             medians of the programs, built in turn (default 3)
#   compile_time.sh --crates [REPETITIONS]    and the CPU time of each crate, beside that in `bare`
#
# The programs:
#   bare                the first example in README.md, without seawall
#   seawall             that example, with the dependencies that README.md gives
#   tower-http          the same call through layers of tower and tower-http: compile_time/tower_http.rs
#   tower-resilience    with tower-resilience's breaker among them: compile_time/breaker.rs
#
# CPU time is user and system time of cargo and all its children, since wall time depends on the cores and on other processes.
# Downloads are not part of it. Versions are those of this repository's Cargo.lock. JOBS: crates built at once.
set -euo pipefail

crates=
[ "${1:-}" != --crates ] || { crates=1; shift; }
repetitions=${1:-3}
[[ $repetitions =~ ^[1-9][0-9]*$ ]] || { sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 1; }

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# As a user has it, whatever the caller's shell has set.
for name in $(compgen -e); do
  case $name in RUSTFLAGS | RUSTC_WRAPPER | CARGO_BUILD_* | CARGO_PROFILE_* | CARGO_TARGET_DIR | CARGO_ENCODED_RUSTFLAGS) unset "$name" ;; esac
done
export CARGO_BUILD_JOBS=${JOBS:-2}
# seawall comes by path here, and from a registry to its users, whose builds of it are never incremental.
export CARGO_INCREMENTAL=0

PROGRAMS=(bare seawall tower-http tower-resilience)

# FENCE: the first code block of README.md that opens with it.
readme_block() {
  awk -v fence='```'"$1" 'on && /^```/ { exit } on; index($0, fence) == 1 { on = 1 }' "$root/README.md" | grep . ||
    { echo "compile_time.sh: README.md has no block of $1" >&2; return 1; }
}

# NAME, its dependencies on stdin: a package, without a main.rs.
package() {
  mkdir -p "$scratch/$1/src"
  { printf '[package]\nname = "program"\nversion = "0.0.0"\nedition = "2024"\npublish = false\n\n'; cat; } >"$scratch/$1/Cargo.toml"
  cp "$root/Cargo.lock" "$scratch/$1/"
}

packages() {
  local example dependencies others
  example=$(readme_block rust)
  dependencies=$(readme_block toml)
  grep -q '^seawall = .*version' <<<"$dependencies"
  others=$(grep -v '^seawall = ' <<<"$dependencies")

  package seawall < <(sed "/^seawall = /s#version = \"[^\"]*\"#path = \"$root\"#" <<<"$dependencies")
  echo "$example" >"$scratch/seawall/src/main.rs"

  package bare <<<"$others"
  sed '/^use seawall::/d; /\.layer(StandardLayer::/d; s/seawall::BoxError/tower::BoxError/' <<<"$example" >"$scratch/bare/src/main.rs"
  if grep -q 'seawall\|StandardLayer' "$scratch/bare/src/main.rs"; then
    echo 'compile_time.sh: the example in README.md has changed, and cannot be made bare' >&2
    return 1
  fi

  local peers
  peers=$(sed '/^tower = /s/"util"/"retry", "timeout", "util"/' <<<"$others"
    echo 'tower-http = { version = "0.7", features = ["timeout", "trace"] }')
  package tower-http <<<"$peers"
  cp "$root/benches/compile_time/tower_http.rs" "$scratch/tower-http/src/main.rs"

  package tower-resilience < <(echo "$peers"; echo 'tower-resilience-circuitbreaker = "0.14"')
  sed "/\/\/ BREAKER/{
    r $root/benches/compile_time/breaker.rs
    d
  }" "$root/benches/compile_time/tower_http.rs" >"$scratch/tower-resilience/src/main.rs"
}

# NAME: builds it from scratch, and prints the seconds.
build() {
  local target=$scratch/target TIMEFORMAT='%U %S'
  rm -rf "$target"
  { time CARGO_TARGET_DIR=$target cargo build --offline --manifest-path "$scratch/$1/Cargo.toml" >"$scratch/log" 2>&1; } \
    2>"$scratch/time" || { cat "$scratch/log" >&2; return 1; }
  awk '{ printf "%.2f\n", $1 + $2 }' "$scratch/time"
}

median() { sort -g | awk '{ it[NR] = $1 } END { print it[int((NR + 1) / 2)] }'; }

fetch() {
  local host
  host=$(rustc --version --verbose | sed -n 's/^host: //p')
  for name in "${PROGRAMS[@]}"; do
    cargo fetch --quiet --color never --target "$host" --manifest-path "$scratch/$name/Cargo.toml"
  done
}

programs() {
  local name bare time crates
  for _ in $(seq "$repetitions"); do
    for name in "${PROGRAMS[@]}"; do
      build "$name" >>"$scratch/$name.times"
    done
  done
  bare=$(median <"$scratch/bare.times")
  echo '| program | crates | CPU seconds | fewest | most | times bare |'
  echo '|---|--:|--:|--:|--:|--:|'
  for name in "${PROGRAMS[@]}"; do
    time=$(median <"$scratch/$name.times")
    crates=$(cargo tree --offline --edges normal,build --prefix none --manifest-path "$scratch/$name/Cargo.toml" |
      sed 's/ (.*//' | sort -u | grep -vc '^program ')
    sort -g "$scratch/$name.times" | awk -v name="$name" -v crates="$crates" -v time="$time" -v bare="$bare" '
      NR == 1 { fewest = $1 } { most = $1 }
      END { printf "| %s | %d | %.1f | %.1f | %.1f | %.2f |\n", name, crates, time, fewest, most, time / bare }'
  done
  echo
}

# Stands between cargo and rustc, and notes the package and the CPU time of each call.
wrapper() {
  cat <<'SCRIPT'
#!/usr/bin/env bash
TIMEFORMAT='%U %S'
# The compiler's own stderr goes to cargo.
{ time "$@" 2>&3; } 3>&2 2>"$CRATE_TIMES.$$"
status=$?
[ -z "${CARGO_PKG_NAME:-}" ] || echo "$CARGO_PKG_NAME $CARGO_PKG_VERSION $(<"$CRATE_TIMES.$$")" >>"$CRATE_TIMES"
rm -f "$CRATE_TIMES.$$"
exit "$status"
SCRIPT
}

# Seconds of each package, build scripts compiled for it included: the fewest of all builds, since other processes only add.
crate_times() {
  local name repetition
  for repetition in $(seq "$repetitions"); do
    for name in "${PROGRAMS[@]}"; do
      export CRATE_TIMES=$scratch/$name.crates.$repetition
      RUSTC_WRAPPER=$scratch/wrapper build "$name" >/dev/null
    done
  done
  for name in "${PROGRAMS[@]}"; do
    awk '
      { time[$1 " " $2, FILENAME] += $3 + $4; package[$1 " " $2]; file[FILENAME] }
      END {
        for (it in package) {
          fewest = -1
          for (name in file) if (fewest < 0 || time[it, name] < fewest) fewest = time[it, name]
          print it, fewest
        }
      }' "$scratch/$name".crates.* >"$scratch/$name.crates"
  done
}

# PACKAGE: the features of seawall that need it.
features() {
  sed -n '/^\[features\]/,/^\[dependencies\]/p' "$root/Cargo.toml" | grep "\"dep:$1\"" | sed 's/ = .*//' | paste -sd, | sed 's/,/, /g'
}

# NAME PACKAGE VERSION: the packages that depend on it there.
parents() {
  local parent features
  cargo tree --offline --edges normal,build --prefix depth --depth 1 --invert "$2@$3" --manifest-path "$scratch/$1/Cargo.toml" |
    sed -n 's/^1\([^ ]*\) .*/\1/p' | sort -u |
    while read -r parent; do
      features=
      [ "$parent" != seawall ] || features=$(features "$2")
      echo "$parent${features:+ ($features)}"
    done | paste -sd';' | sed 's/;/; /g'
}

# NAME: CPU time of each of its packages beside that in `bare`. Leaves out those that differ by less than 0.1 s.
breakdown() {
  local package version time bare more needed
  echo "### $1"
  echo
  echo '| crate | CPU seconds | in bare | more | needed by |'
  echo '|---|--:|--:|--:|---|'
  awk '
    NR == FNR { bare[$1] += $3; next }
    { printf "%s %s %.2f %s %.2f\n", $1, $2, $3, ($1 in bare ? sprintf("%.2f", bare[$1]) : "-"), $3 - bare[$1] }
  ' "$scratch/bare.crates" "$scratch/$1.crates" | sort -k5gr |
    while read -r package version time bare more; do
      [[ ! $more =~ ^-?0\.0 ]] || continue
      needed=
      [ "$bare" != - ] || needed=$(parents "$1" "$package" "$version")
      echo "| $package $version | $time | $bare | $more | $needed |"
    done
  awk '
    NR == FNR { bare += $3; next }
    { all += $3 }
    END { printf "| **all** | **%.1f** | **%.1f** | **%.1f** | |\n\n", all, bare, all - bare }
  ' "$scratch/bare.crates" "$scratch/$1.crates"
}

packages
fetch
echo "CPU seconds of \`cargo build\` from scratch, debug profile, $CARGO_BUILD_JOBS jobs, $(rustc --version | cut -d' ' -f1-2);" \
  "medians of $repetitions."
echo
programs
if [ -n "$crates" ]; then
  wrapper >"$scratch/wrapper"
  chmod +x "$scratch/wrapper"
  crate_times
  for name in "${PROGRAMS[@]:1}"; do breakdown "$name"; done
fi
