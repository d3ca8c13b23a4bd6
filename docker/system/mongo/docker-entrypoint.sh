#!/bin/bash
# The official image's entrypoint, as far as a development stack needs it: drops root, makes the root user and runs
# /docker-entrypoint-initdb.d once on an empty /data/db, then replaces itself with mongod.
set -Eeuo pipefail

data=/data/db
# Tells an interrupted first start from a finished one: without it the next start would have data and no root user.
unfinished=$data/.first-start-unfinished

if [[ ${1:-} == -* ]]; then
    set -- mongod "$@"
fi
if [[ ${1:-} != mongod ]]; then
    exec "$@"
fi

if ((EUID == 0)); then
    find "$data" /data/configdb \! -user mongodb -exec chown mongodb:mongodb '{}' +
    export HOME=/home/mongodb
    exec setpriv --reuid=mongodb --regid=mongodb --init-groups "$0" "$@"
fi

# value NAME: the variable NAME, or the content of the file that NAME_FILE points to
value() {
    local file_variable=${1}_FILE
    if [[ -n ${!file_variable:-} ]]; then
        cat "${!file_variable}"
    else
        printf '%s' "${!1:-}"
    fi
}

# bash answers SIGTERM only between commands, but at once while it waits for one in the background.
interruptible() {
    "$@" &
    wait $!
}

wait_for_mongod() {
    local deadline=$((SECONDS + 60))
    until interruptible mongosh --quiet --eval 'db.adminCommand("ping").ok' >/dev/null 2>&1; do
        if ! kill -0 "$1" 2>/dev/null || ((SECONDS > deadline)); then
            echo >&2 "mongod did not answer during the first start"
            return 1
        fi
        sleep 0.2
    done
}

create_root_user() {
    ROOT_USERNAME=$username ROOT_PASSWORD=$password interruptible mongosh --quiet admin --eval '
        const { ROOT_USERNAME: user, ROOT_PASSWORD: pwd } = process.env;
        if (!db.getUser(user)) db.createUser({ user, pwd, roles: [{ role: "root", db: "admin" }] });'
}

run_init_files() {
    local file
    for file in /docker-entrypoint-initdb.d/*; do
        # shellcheck disable=SC1090 # which files there are is the user's choice
        case $file in
            *.sh) echo "running $file" && . "$file" ;;
            *.js) echo "running $file" && interruptible mongosh --quiet "${MONGO_INITDB_DATABASE:-test}" "$file" ;;
        esac
    done
}

first_start() {
    touch "$unfinished"
    mongod --dbpath "$data" --bind_ip 127.0.0.1 --quiet &
    local pid=$!
    trap 'kill -TERM '"$pid"'; wait '"$pid"'; exit 143' TERM INT
    wait_for_mongod "$pid"
    if [[ -n $username && -n $password ]]; then
        create_root_user
    fi
    run_init_files
    kill -TERM "$pid"
    wait "$pid"
    trap - TERM INT
    rm "$unfinished"
}

username=$(value MONGO_INITDB_ROOT_USERNAME)
password=$(value MONGO_INITDB_ROOT_PASSWORD)
unset MONGO_INITDB_ROOT_USERNAME MONGO_INITDB_ROOT_PASSWORD
if [[ -n $username && -z $password || -z $username && -n $password ]]; then
    echo >&2 "MONGO_INITDB_ROOT_USERNAME and MONGO_INITDB_ROOT_PASSWORD must be set together"
    exit 1
fi

if [[ -e $unfinished || ! -e $data/WiredTiger ]]; then
    first_start
fi

if [[ -n $username ]]; then
    set -- "$@" --auth
fi
if [[ " $* " != *" --bind_ip"* && " $* " != *" --config "* && " $* " != *" -f "* ]]; then
    set -- "$@" --bind_ip_all
fi
exec "$@"
