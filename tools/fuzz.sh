#!/bin/sh
# Runs every fuzz target of the workspace for the given time; go test fuzzes one target of one package a call.
set -eu
time="${1:-20s}"
for dir in $(grep -rl --include='*_test.go' '^func Fuzz' cmd deploy pkg services | xargs -n1 dirname | sort -u); do
  for target in $(grep -hoE '^func Fuzz[A-Za-z0-9_]+' "$dir"/*_test.go | sed 's/^func //' | sort -u); do
    echo "== $dir $target"
    go test "./$dir" -run '^$' -fuzz "^$target\$" -fuzztime "$time"
  done
done
