#!/bin/sh
# Builds authorizer.wasm and redactor.wasm beside this file. $GUEST_TOOLCHAIN names a toolchain that has the target, if the
# repository's toolchain does not have it.
set -eu
cd "$(dirname "$0")"
target=${GUEST_TARGET_DIR:-$PWD/target}
for world in authorizer redactor; do
    env ${GUEST_TOOLCHAIN:+RUSTUP_TOOLCHAIN="$GUEST_TOOLCHAIN"} \
        RUSTFLAGS="--remap-path-prefix=$PWD=/hostile --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo" \
        cargo build --release --locked --target wasm32-unknown-unknown --features "$world" --target-dir "$target"
    core=$target/wasm32-unknown-unknown/release/hostile.wasm
    (cd ../.. && cargo run --quiet --example componentize -- "$core" "guests/hostile/$world.wasm")
done
