#!/bin/bash
# Runs once at the first start of a Batch instance (Amazon Linux 2023, before the ECS agent), as root.
#
# A compute environment's template is fixed, but every launch has a file system of its own. So nothing is mounted
# here: an automounter mounts <folder>/<file-system id>_<mount name> the moment a job's container binds it.
set -euo pipefail

readonly FOLDER='@FOLDER@'

# Without its file system a job would find the empty folder that Docker makes for a missing bind source. An instance
# that cannot mount must therefore take no jobs. Batch then reports them as blocked for an UNDETERMINED reason, and on
# that reason a queue cannot cancel jobs by itself.
refuse_jobs() {
  echo "Genolaunch: the set-up of ${FOLDER} failed (line $1); this instance takes no jobs" > /dev/console
  systemctl mask --now ecs
}
trap 'refuse_jobs ${LINENO}' ERR

# One mirror's hiccup must not cost an instance. After the last try, the next command fails and says so.
for pause in 5 15 30 60 0; do
  dnf install --assumeyes lustre-client autofs && break
  sleep "${pause}"
done
modprobe lustre

install --directory "${FOLDER}" /etc/auto.master.d

cat > /etc/auto.genolaunch <<'MAP'
#!/bin/bash
# Program map of autofs: <file-system id>_<mount name> -> the entry that mounts it.
[[ "$1" =~ ^(fs-[0-9a-f]{8,})_([A-Za-z0-9_-]{1,8})$ ]] || exit 1
echo "-fstype=lustre,relatime,flock ${BASH_REMATCH[1]}.@FSX_DOMAIN@@tcp:/${BASH_REMATCH[2]}"
MAP
chmod 0755 /etc/auto.genolaunch
echo "${FOLDER} program:/etc/auto.genolaunch --timeout=300" > /etc/auto.master.d/genolaunch.autofs
systemctl enable --now autofs
systemctl is-active --quiet autofs

# A client that vanishes with locks in its hands holds up everybody else's reads until it is evicted, minutes later.
cat > /usr/local/bin/unmount-before-reclaim <<'WATCH'
#!/bin/bash
# When EC2 announces that it takes this Spot instance back (two minutes ahead), stop the jobs and unmount.
readonly METADATA=http://169.254.169.254/latest
while sleep 5; do
  token=$(curl --silent --fail --max-time 2 --request PUT --header 'X-aws-ec2-metadata-token-ttl-seconds: 60' \
    "${METADATA}/api/token") || continue
  curl --silent --fail --max-time 2 --output /dev/null --header "X-aws-ec2-metadata-token: ${token}" \
    "${METADATA}/meta-data/spot/instance-action" || continue
  # The agent first: Batch retries a job whose host is gone, but would take a stopped container for the job's own fault.
  systemctl stop ecs
  docker ps --quiet --filter label=com.amazonaws.ecs.task-arn | xargs --no-run-if-empty docker stop --time 20
  systemctl stop autofs
  umount --all --types lustre
  exit 0
done
WATCH
chmod 0755 /usr/local/bin/unmount-before-reclaim

cat > /etc/systemd/system/unmount-before-reclaim.service <<'UNIT'
[Unit]
Description=Unmount Lustre before EC2 reclaims this instance
After=docker.service
[Service]
ExecStart=/usr/local/bin/unmount-before-reclaim
Restart=on-failure
[Install]
WantedBy=multi-user.target
UNIT
systemctl enable --now --no-block unmount-before-reclaim.service
