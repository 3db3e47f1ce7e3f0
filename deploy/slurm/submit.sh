#!/bin/bash
# Grades a folder of submissions with Slurm: one array task for each share, then a job that merges their gradebooks.
#
#   bash deploy/slurm/submit.sh SUBMISSIONS [SHARES] [OPTIONS OF gradetape grade...]
#
# Run it in the course's folder, which all nodes must see under the same path. SHARES is 16 unless it is given.
#
#   GRADETAPE_SHARDS    folder for the results of the shares   [results/shards]
#   GRADETAPE_ENV       script that every job sources first: modules, a virtual environment
#   GRADETAPE_SBATCH    options of both sbatch commands: --partition=gpu --account=course
#
# Run it again to continue: what is graded stays graded. To run some shares again, name them:
#   sbatch --array=3,7 --export=ALL,SHARES=16 deploy/slurm/grade.sbatch SUBMISSIONS
set -euo pipefail

here=$(dirname "$(realpath "$0")")
submissions=${1:?"usage: submit.sh SUBMISSIONS [SHARES] [OPTIONS OF gradetape grade...]"}
shift
SHARES=16
if [[ ${1:-} =~ ^[0-9]+$ ]]; then
    SHARES=$1
    shift
fi
if ((SHARES < 1)); then
    echo "submit.sh: the number of shares must be at least 1" >&2
    exit 2
fi
if [[ ! -e grader_config.yml ]]; then
    echo "submit.sh: run it in the course's folder, where grader_config.yml is" >&2
    exit 2
fi
if [[ ! -e $submissions ]]; then
    echo "submit.sh: there is no $submissions" >&2
    exit 2
fi
export SHARES
read -r -a options <<<"${GRADETAPE_SBATCH:-}"
grading=$(sbatch --parsable --export=ALL --array="1-$SHARES" "${options[@]}" "$here/grade.sbatch" "$submissions" "$@")
grading=${grading%%;*}
# Whatever became of the tasks: the merge says which shares are missing.
merging=$(sbatch --parsable --export=ALL --dependency="afterany:$grading" "${options[@]}" \
    "$here/merge.sbatch" "$submissions" "$@")
echo "grading: job $grading, shares 1 to $SHARES; merging: job ${merging%%;*}, when all of them have ended"
