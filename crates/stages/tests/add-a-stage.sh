#!/usr/bin/env bash
# Adds a stage to a copy of this tree, as CONTRIBUTING.md says, and sees that whatever
# runs, measures, draws or explains stages has it. It takes some minutes, since the copy
# shares nothing with the tree but cargo's registry.
#
# `add-a-stage.sh folder|line|dependency` leaves that step out, and then has to fail.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
unset CARGO_TARGET_DIR

left_out=${1:-nothing}
most=6 # files, each that is made or changed
list=crates/stages/src/lib.rs
number=$(($(grep -c '^    stage!(' "$list") + 1))
name=stage$number-copied
copy=target/add-a-stage

step() { [ "$left_out" != "$1" ]; }
fail() {
    echo "add-a-stage: $*" >&2
    exit 1
}
# `has WHAT EXPECTED COMMAND…`: sees that the command succeeds and prints what is expected.
has() {
    local what=$1 expected=$2
    shift 2
    "$@" >"$said" 2>&1 || fail "$what: $(tail -n 20 "$said")"
    grep -q -- "$expected" "$said" || fail "$what has no $expected"
    echo "has it: $what"
}

mkdir -p "$copy"
# What was built of the registry's crates stays. All that was copied is newer than a build,
# so it is built anew.
find "$copy" -mindepth 1 -maxdepth 1 ! -name target -exec rm -rf {} +
git ls-files -z | xargs -0 cp --parents --target-directory "$copy"
cd "$copy"
git init --quiet
git add --all
said=.git/said

# Its folder: here, that of stage 5 under another name.
if step folder; then
    cp -r crates/stage5-fully-async "crates/$name"
    sed -i "s/^name = .*/name = \"$name\"/; s/Stage 5/Stage $number/" "crates/$name/Cargo.toml"
    sed -i "s/Stage 5/Stage $number/; s/stage5_fully_async/${name//-/_}/" "crates/$name/tests/conformance.rs"
fi
# One line in the list, ...
if step line; then
    line="stage!($number, \"$name\", ${name//-/_}::merge, taught: false),"
    sed -i "s/^    stage!($((number - 1)), .*/&\n    $line/" "$list"
fi
# ... with the dependency. It is not taught, so it has no chapter.
if step dependency; then
    echo "$name = { path = \"../$name\" }" >>crates/stages/Cargo.toml
fi

# But for the lock file, which is cargo's.
touched=$(git ls-files --modified --others --exclude-standard | grep -v '^Cargo.lock$' || true)
count=$(grep -c . <<<"$touched" || true)
printf '%s files touched:\n%s\n' "$count" "$touched"
[ "$count" -le "$most" ] || fail "no more than $most files are to be touched"

cargo build --quiet --package compare --package tributary-cli || fail "it does not build"
target=target/debug
printf 'one\ntwo\n' >.git/a.log
has 'its suite' ' 0 failed' cargo test --quiet --package "$name"
has 'the list, with its folder' '1 passed' cargo test --quiet --package book-tests --test texts \
    every_folder_of_a_stage_is_in_the_list_of_stages
has 'compare' "^$name " "$target/compare" --quick --stages "$number"
has 'the page' "$name" cat target/compare/index.html
has 'the JSON' "\"$name\"" cat target/compare/results.json
has 'compare diff' "stage4-tasks → $name" "$target/compare" diff "$number"
has 'tributary' '^two$' "$target/tributary" --stage "$number" .git/a.log
echo "$name was added by $count files"
