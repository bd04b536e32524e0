#!/bin/sh
# Gives the users of The Littlest JupyterHub what Binder's have. On the server, in a clone of the repository:
#
#     sudo sh hub/tljh.sh
#
# It may be run again, for instance after `git pull`. Servers that run keep what they have until they are
# restarted.
set -eu
cd "$(dirname "$0")/.."
tljh=${TLJH_INSTALL_PREFIX:-/opt/tljh}
user=$tljh/user/bin
if [ ! -x "$user/python" ]; then
    echo "expected The Littlest JupyterHub in $tljh, and found none: install it first, see hub/README.md" >&2
    exit 1
fi

"$user/python" -m pip install --requirement hub/requirements.txt
PATH=$user:$PATH sh binder/postBuild

# A user at work needs 170 MiB: see hub/README.md. Who needs more than the limit has the kernel ended.
"$tljh/hub/bin/tljh-config" set limits.memory 1G
"$tljh/hub/bin/tljh-config" set limits.cpu 1
"$tljh/hub/bin/tljh-config" set user_environment.default_app jupyterlab
# A lesson's break is longer than the ten minutes after which a server is ended that nobody uses.
"$tljh/hub/bin/tljh-config" set services.cull.timeout 3600
"$tljh/hub/bin/tljh-config" reload
