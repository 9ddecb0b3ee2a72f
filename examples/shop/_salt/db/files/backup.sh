#!/bin/sh
# Copies the database to a file, or to db.sql.bak beside it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
data=$here/../../../srv/shop/db.sql
exec cp "$data" "${1:-$data.bak}"
