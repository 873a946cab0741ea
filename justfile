# Each recipe is one line that can be typed without `just`.
set positional-arguments

[private]
default:
    @just --list --unsorted

# Every stage on the same workloads, or on FILE…, checked and measured
[group('look')]
compare *args:
    cargo compare "$@"

# What changes from the predecessors of stage N to stage N
[group('look')]
diff N:
    cargo compare diff "$1"

# What a read, a write and a stage cost: under three minutes after the build
[group('look')]
bench *args:
    cargo bench --package benches "$@"

# The book, as pages under target/book
[group('look')]
book:
    mdbook build docs

# Every test: the laws for every stage, the guards, the texts
[group('hold')]
test *args:
    cargo test --workspace "$@"

# Form, clippy and rustdoc, with no warning left
[group('hold')]
lint:
    cargo fmt --check && cargo clippy --workspace --all-targets -- -D warnings && RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --workspace

# Every stage on small workloads, checked: the figures say little
[group('hold')]
smoke:
    cargo compare --quick

# All that the pipeline runs
[group('hold')]
ci: lint test smoke book
