#!/usr/bin/env bash
# Gradescope runs this once, when it builds the image. gradetape needs Python 3.11 or newer and libseccomp.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive UV_PYTHON_INSTALL_DIR=/opt/gradetape/python
apt-get update
apt-get install -y --no-install-recommends python3-pip libseccomp2
python3 -m pip install uv || python3 -m pip install --break-system-packages uv
python3 -m uv venv --python 3.12 /opt/gradetape/venv
python3 -m uv pip install --python /opt/gradetape/venv/bin/python "{package}"{more}
# The log of the build shows which isolation layers are available here.
cd /autograder/source/course && /opt/gradetape/venv/bin/gradetape doctor || true
