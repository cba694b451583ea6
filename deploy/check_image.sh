#!/bin/sh
# Build the image of deploy/Dockerfile without a Docker daemon and run the month of sample_data in it, as the image's own user on a
# mounted folder. Needs root, buildah and debootstrap (Debian). The base image is Debian's own Python under the name of the official
# one, so that this needs no registry of images: what it checks are our steps, not that base.
#
#   deploy/check_image.sh [options of `buildah build`, for instance --volume /wheels:/wheels:ro]
#
# BASE: a folder with such a system, where there is one already.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
export BUILDAH_ISOLATION=chroot STORAGE_DRIVER=vfs
image() { buildah --root "$room/store" --runroot "$room/run" "$@"; }

if [ -z "${BASE:-}" ]; then
    BASE=$room/base
    debootstrap --variant=minbase --include=python3,python3-venv,python-is-python3,ca-certificates bookworm "$BASE" >&2
fi
name=$(sed -n 's/^FROM \([^ ]*\).*/\1/p' "$top/deploy/Dockerfile" | sort -u)
base=$(image from scratch)
image copy --quiet "$base" "$BASE" / >&2
image commit --quiet --format docker "$base" "docker.io/library/$name" >&2
image bud --pull-never "$@" --file "$top/deploy/Dockerfile" --tag aggregator "$top" >&2

work=$room/work
mkdir -p "$work/sample_data"
cp -r "$top/sample_data/exports" "$work/sample_data"
chown -R 10001:10001 "$work"
made=$(image from --pull-never aggregator)
image inspect --type image --format '{{.OCIv1.Config.User}} {{.OCIv1.Config.WorkingDir}} {{.OCIv1.Config.Entrypoint}}{{"\n"}}' aggregator
ran=0
# `buildah run` leaves out the image's entry point.
image run --volume "$work:/work" "$made" -- aggregator run sample_data/exports/shop-a-gb18030.csv \
    sample_data/exports/shop-b.csv --receipts sample_data/exports/receipts.csv \
    --period 2026-10 --first-period 2026-09 --format csv --out results >"$room/said" || ran=$?
cat "$room/said" >&2
[ "$ran" = 3 ] || { echo "the run ended with $ran, not 3"; exit 1; }
differ=0
for expected in "$top"/sample_data/expected/exports/*.csv; do
    cmp "$expected" "$work/results/2026-10/202610-01/$(basename "$expected")" || differ=1
done
[ "$(stat -c %u "$work/results/ledger.sqlite")" = 10001 ] || { echo "results are not the user's"; exit 1; }
[ "$differ" = 0 ] && echo "the image gives the bytes of sample_data/expected, as user 10001"
