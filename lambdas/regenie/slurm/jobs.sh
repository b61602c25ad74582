export PATH="/opt/slurm/bin:$PATH"
umask 027

write_job() {
    cat > "$FOLDER/job.sh" <<'JOB'
#!/bin/sh
# One task of an array. The last thing it does is to write its exit code; what Slurm ends does not get so far.
phase=$1
TASK_INDICES=$2
index=$SLURM_ARRAY_TASK_ID

give() {
    # To the program in the container, and to one without.
    export "$1=$2" "APPTAINERENV_$1=$2"
}

copy_image() {
    case $IMAGE in
    *.dkr.ecr.*)
        region=${IMAGE#*.dkr.ecr.}
        APPTAINER_DOCKER_USERNAME=AWS
        APPTAINER_DOCKER_PASSWORD=$(aws ecr get-login-password --region "${region%%.*}")
        export APPTAINER_DOCKER_USERNAME APPTAINER_DOCKER_PASSWORD
        ;;
    esac
    # Its cache would be in the user's home, which the nodes share with the head node's own disk, and stay there.
    apptainer pull --force --disable-cache "$FOLDER/image.sif" "docker://$IMAGE"
}

fetch() {
    if [ "$CONTAINER" = apptainer ]; then copy_image; fi
    mkdir -p "$FOLDER/data" "$FOLDER/work"
    aws s3 sync --only-show-errors "$RESULTS" "$FOLDER/work"
    xargs -d '\n' -P 4 -I '{}' aws s3 cp --only-show-errors --force-glacier-transfer "$DATA{}" "$FOLDER/data/{}" \
        < "$FOLDER/work/plan/fetch.txt"
}

store() {
    for path in $EXPORTS; do
        if [ -d "$FOLDER/work/$path" ]; then
            aws s3 sync --only-show-errors --exclude '*.attempts/*' "$FOLDER/work/$path" "$RESULTS$path"
        else
            aws s3 cp --only-show-errors "$FOLDER/work/$path" "$RESULTS$path"
        fi
    done
    aws s3 sync --only-show-errors "$FOLDER/logs" "${RESULTS}logs"
}

task() {
    give WORKSPACE "$FOLDER"
    give FILE_SYSTEM_TYPE any
    give LAUNCH_ID "$LAUNCH_ID"
    give TASK_INDICES "$TASK_INDICES"
    # As AWS Batch names them, for which the runner was made.
    give AWS_BATCH_JOB_ID "$SLURM_JOB_NAME-$index"
    give AWS_BATCH_JOB_ATTEMPT "$((${SLURM_RESTART_COUNT:-0} + 1))"
    give AWS_BATCH_JOB_ARRAY_INDEX "$index"
    give OMP_NUM_THREADS "$SLURM_CPUS_PER_TASK"
    if [ "$CONTAINER" = apptainer ]; then
        apptainer exec --cleanenv --no-home --bind "$FOLDER" "$FOLDER/image.sif" python3 -m regenie_runner "$phase"
    else
        python3 -m regenie_runner "$phase"
    fi
}

receipt=$FOLDER/jobs/$SLURM_JOB_NAME/$index
# Slurm's own count (SLURM_RESTART_COUNT) has nodes too that never came up.
echo >> "$receipt.starts"
if [ "$(wc -l < "$receipt.starts")" -gt 2 ]; then
    echo "The node was lost in each of two attempts."
    code=75
else
    (
        set -e
        case $phase in
        fetch) fetch ;;
        store) store ;;
        *) task ;;
        esac
    )
    code=$?
fi
echo "$code" > "$receipt.new" && mv "$receipt.new" "$receipt.exit"
exit "$code"
JOB
}

submit() {
    # name, tasks, partition, vCPUs, MiB, minutes, phase, lines of the plan
    mkdir -p "$FOLDER/jobs/$1"
    if [ -e "$FOLDER/jobs/$1/id" ]; then return; fi
    # Perhaps it was submitted by a script that was killed before it wrote so.
    id=$(squeue --noheader --states=all --name="$1" --format=%F)
    if [ -z "$id" ]; then
        id=$(sbatch --parsable --requeue --open-mode=append --job-name="$1" --array="0-$(($2 - 1))" --partition="$3" \
            --cpus-per-task="$4" --mem="$5M" --time="$6" --chdir="$FOLDER" --output="$FOLDER/logs/%x_%a.log" \
            "$FOLDER/job.sh" "$7" "$8" 9>&-)
    fi
    echo "$id" > "$FOLDER/jobs/$1/id"
}

OVER='BOOT_FAIL|CANCELLED|COMPLETED|DEADLINE|FAILED|LAUNCH_FAILED|NODE_FAIL|OUT_OF_MEMORY|PREEMPTED|TIMEOUT'

# Why a task waits that will never run: Slurm's page "Job Reason Codes". The others end by themselves, also those by
# which others of the same user, account or QOS must end first (AssocGrp*, QOSGrp*, QOSMax*PerUser*).
NEVER='BadConstraints|PartitionConfig|PartitionInactive|PartitionNodeLimit|PartitionTimeLimit|DependencyNeverSatisfied'
NEVER="$NEVER|JobHeldUser|JobHeldAdmin|launch_failed_requeued_held|InvalidAccount|InvalidQOS|QOSNotAllowed"
NEVER="$NEVER|JobHoldMaxRequeue|AccountNotAllowed|MaxMemPerLimit|ReservationDeleted"
# What a task asks for is more than one may have, or less than the least.
NEVER="$NEVER|(Assoc|QOS)Max[A-Za-z]*Per(Job|Node)(Limit)?|QOSMin[A-Za-z]*"

give_up() {
    # name: what will never run of it must not begin while its tasks are submitted anew
    if [ -e "$FOLDER/jobs/$1/id" ]; then scancel --state=PENDING "$(cat "$FOLDER/jobs/$1/id")"; fi
}

look_at() {
    # name, tasks: adds to left, or tells of what failed
    folder=$FOLDER/jobs/$1
    squeue --noheader --array --states=all --name="$1" --format='%K %T %r' > "$folder/queue"
    grep -E "^[0-9]+ ($OVER)( |\$)" "$folder/queue" >> "$folder/ends" || true
    touch "$folder/never"
    if grep -E "^[0-9]+ PENDING \(?($NEVER)\)?\$" "$folder/queue" >> "$folder/never"; then give_up "$1"; fi
    active=$(awk '
        FILENAME ~ /never$/ { never[$1]; next }
        $2 !~ /^('"$OVER"')$/ && !($1 in never) { active++ }
        END { print active + 0 }
    ' "$folder/never" "$folder/queue")
    left=$((left + active))
    if [ "$active" -gt 0 ]; then return; fi
    # How a task ended that did not write it: squeue shows a signal there (killed for memory: 9, no output file: 53).
    squeue --noheader --array --states=FAILED --name="$1" --Format='ArrayTaskID:12,exit_code:12' > "$folder/codes" || true
    index=0
    while [ "$index" -lt "$2" ]; do
        code=none
        if [ -e "$folder/$index.exit" ]; then read -r code < "$folder/$index.exit"; fi
        if [ "$code" != 0 ]; then echo "$index $code"; fi
        index=$((index + 1))
    done > "$folder/bad"
    failed=$((failed + $(wc -l < "$folder/bad")))
    # The last word of Slurm on each, and those that ended alike together.
    awk -v name="$1" '
        FILENAME ~ /(ends|never)$/ { state[$1] = $2; reason[$1] = $3; next }
        FILENAME ~ /codes$/ { signal[$1] = $2 % 128; next }
        {
            gsub(/[()]/, "", reason[$1])
            how = $2 " " ($1 in state ? state[$1] ":" signal[$1] + 0 ":" reason[$1] : "UNKNOWN:0:")
            if (how in indices) indices[how] = indices[how] "," $1
            else indices[how] = $1
        }
        END { for (how in indices) print "ended", name, how, indices[how] }
    ' "$folder/ends" "$folder/never" "$folder/codes" "$folder/bad" >> "$FOLDER/failures"
    head -n 3 "$folder/bad" | while read -r index code; do
        echo "log $1 $index $(tail -c 1500 "$FOLDER/logs/$1_$index.log" 2> /dev/null | base64 | tr -d '\n')"
    done >> "$FOLDER/words"
}

tell() {
    # name:tasks of each array
    left=0
    failed=0
    : > "$FOLDER/failures"
    : > "$FOLDER/words"
    for array in "$@"; do look_at "${array%:*}" "${array##*:}"; done
    echo "left $left failed $failed"
    # Last words come last: an answer that is too long loses these, and of how tasks ended nothing.
    if [ "$left" -eq 0 ]; then cat "$FOLDER/failures" "$FOLDER/words"; fi
}

for folder in $EARLIER; do
    if [ -d "$folder" ]; then
        # Clean-up takes its work to S3, from where this attempt has it.
        echo "left 1 failed 0"
        exit
    fi
done
mkdir -p "$BASE"
exec 9> "$FOLDER.lock"
flock 9
if [ -e "$BASE/ended/$RUN" ]; then
    echo "The run is over, and its folder is gone." >&2
    exit 1
fi
mkdir -p "$FOLDER/jobs" "$FOLDER/logs"
if [ ! -e "$FOLDER/job.sh" ]; then write_job; fi
