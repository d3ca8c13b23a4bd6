#!/bin/sh
# What MongoDB holds, to standard output (`dump`), or back from standard input (`restore`).
# With mongodump and mongorestore where the image has them, else as documents in canonical extended JSON.
set -eu
folder=$(dirname "$0")

tool() {
    name=$1
    shift
    exec "$name" --quiet --archive --host="${MONGO_HOSTS:-127.0.0.1}" --authenticationDatabase=admin \
        --username="$MONGO_INITDB_ROOT_USERNAME" --password="$MONGO_INITDB_ROOT_PASSWORD" "$@"
}

case ${1:-} in
dump)
    if command -v mongodump > /dev/null; then
        tool mongodump
    fi
    MODE=dump exec mongosh --quiet --norc --nodb --file "$folder/backup.js"
    ;;
restore)
    # The first byte tells who wrote it: mongodump's archives begin with an "m".
    first=$(dd bs=1 count=1 2> /dev/null)
    if [ "$first" = "{" ]; then
        # As descriptor 3: mongosh would read its own standard input.
        { printf '{'; cat; } | MODE=restore mongosh --quiet --norc --nodb --file "$folder/backup.js" 3<&0 < /dev/null
    elif command -v mongorestore > /dev/null; then
        { printf '%s' "$first"; cat; } | tool mongorestore --drop
    else
        echo "This backup was made by mongodump, and this image has no mongorestore." >&2
        exit 1
    fi
    ;;
*)
    echo "usage: backup.sh dump|restore" >&2
    exit 2
    ;;
esac
