#!/bin/sh
# Says whether the program would start with the configuration of this machine.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
exec "$here/shop" check "$here/../../../etc/shop/enabled.conf"
