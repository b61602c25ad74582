export PATH="/opt/slurm/bin:$PATH"
umask 027

end() {
    # A script of the run that comes late must not begin anew.
    mkdir -p "$BASE/ended"
    find "$BASE/ended" -type f -mtime +30 -delete
    exec 9> "$FOLDER.lock"
    flock 9
    : > "$BASE/ended/$RUN"
    jobs=$(squeue --noheader --format='%F %j' | awk -v run="$RUN-" 'index($2, run) == 1 { print $1 }' | sort -u)
    if [ -n "$jobs" ]; then
        # shellcheck disable=SC2086 - one word for each job
        scancel $jobs
        echo "left $(echo "$jobs" | wc -l) failed 0"
        return
    fi
    if [ -d "$FOLDER" ]; then
        if [ "$1" = keep ] && [ -d "$FOLDER/work" ]; then
            aws s3 sync --only-show-errors --exclude '*.attempts/*' "$FOLDER/work" "$RESULTS"
            aws s3 sync --only-show-errors "$FOLDER/logs" "${RESULTS}logs"
        fi
        rm -rf "$FOLDER"
    fi
    rm -f "$FOLDER.lock"
    echo "left 0 failed 0"
}
