#!/usr/bin/env bash
# Measures the CPU time of debug builds from scratch of small programs that make the same call.
#
#   compile_time.sh [REPETITIONS]             prints medians of builds in turn (default 3)
#   compile_time.sh --crates [REPETITIONS]    also prints each crate, compared with `bare`
#
# The programs:
#   bare                the first example in README.md, without seawall
#   seawall             that example, with the dependencies in README.md
#   tower-http          the same call through layers of tower and tower-http
#                       (compile_time/tower_http.rs)
#   tower-resilience    these layers with tower-resilience's breaker (compile_time/breaker.rs)
#
# CPU time is the user and system time of cargo and its children. Wall time would depend on the
# cores and on other processes. Downloads are excluded. The versions are those of this repository's
# Cargo.lock. The environment variable JOBS sets the number of crates that are built concurrently.
set -euo pipefail

crates=
[ "${1:-}" != --crates ] || { crates=1; shift; }
repetitions=${1:-3}
[[ $repetitions =~ ^[1-9][0-9]*$ ]] || { sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 1; }

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Removes settings of the caller's shell that change the build.
for name in $(compgen -e); do
  case $name in RUSTFLAGS | RUSTC_WRAPPER | CARGO_BUILD_* | CARGO_PROFILE_* | CARGO_TARGET_DIR | CARGO_ENCODED_RUSTFLAGS) unset "$name" ;; esac
done
export CARGO_BUILD_JOBS=${JOBS:-2}
# seawall is a path dependency here, but users get it from a registry, whose crates are never
# incremental.
export CARGO_INCREMENTAL=0

PROGRAMS=(bare seawall tower-http tower-resilience)

# LANGUAGE: prints the first code block of README.md in this language.
readme_block() {
  awk -v fence='```'"$1" 'on && /^```/ { exit } on; index($0, fence) == 1 { on = 1 }' "$root/README.md" | grep . ||
    { echo "compile_time.sh: expected a $1 block in README.md, found none" >&2; return 1; }
}

# NAME: creates a package without a main.rs. Its dependencies are on stdin.
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
    echo 'compile_time.sh: expected an example in README.md that works without seawall, found other uses of it' >&2
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

# NAME: builds the package from scratch and prints the CPU seconds.
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
  echo '| program | crates | CPU seconds | min | max | times bare |'
  echo '|---|--:|--:|--:|--:|--:|'
  for name in "${PROGRAMS[@]}"; do
    time=$(median <"$scratch/$name.times")
    crates=$(cargo tree --offline --edges normal,build --prefix none --manifest-path "$scratch/$name/Cargo.toml" |
      sed 's/ (.*//' | sort -u | grep -vc '^program ')
    sort -g "$scratch/$name.times" | awk -v name="$name" -v crates="$crates" -v time="$time" -v bare="$bare" '
      NR == 1 { min = $1 } { max = $1 }
      END { printf "| %s | %d | %.1f | %.1f | %.1f | %.2f |\n", name, crates, time, min, max, time / bare }'
  done
  echo
}

# Prints a wrapper of rustc that records the package and the CPU time of each call.
wrapper() {
  cat <<'SCRIPT'
#!/usr/bin/env bash
TIMEFORMAT='%U %S'
# Passes the stderr of the compiler to cargo.
{ time "$@" 2>&3; } 3>&2 2>"$CRATE_TIMES.$$"
status=$?
[ -z "${CARGO_PKG_NAME:-}" ] || echo "$CARGO_PKG_NAME $CARGO_PKG_VERSION $(<"$CRATE_TIMES.$$")" >>"$CRATE_TIMES"
rm -f "$CRATE_TIMES.$$"
exit "$status"
SCRIPT
}

# Measures the CPU seconds of each package, including its build script. Uses the minimum of all
# builds, because other processes can only add time.
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
          min = -1
          for (name in file) if (min < 0 || time[it, name] < min) min = time[it, name]
          print it, min
        }
      }' "$scratch/$name".crates.* >"$scratch/$name.crates"
  done
}

# PACKAGE: prints the features of seawall that require it.
features() {
  sed -n '/^\[features\]/,/^\[dependencies\]/p' "$root/Cargo.toml" | grep "\"dep:$1\"" | sed 's/ = .*//' | paste -sd, | sed 's/,/, /g'
}

# NAME PACKAGE VERSION: prints the packages in program NAME that depend on the package.
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

# NAME: prints the CPU time of its packages, compared with `bare`. Omits differences below 0.1 s.
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
