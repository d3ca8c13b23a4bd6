#!/usr/bin/env bash
# `invoke start` took the place of this script; README.md says how to get `invoke`.
cd "$(dirname "$0")" && exec invoke start "$@"
