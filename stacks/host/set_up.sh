#!/bin/bash
# Runs once at the first start of a Batch instance (Amazon Linux 2023, before the ECS agent), as root.
#
# A compute environment's template is fixed, but every launch has a file system of its own. So nothing is mounted
# here: an automounter mounts <folder>/<file-system id>_<mount name> the moment a job's container binds it.
set -euo pipefail

readonly FOLDER='@FOLDER@'

# Without its file system a job would find the empty folder that Docker makes for a missing bind source. An instance
# that cannot mount must therefore take no jobs. Batch then reports them as blocked for an UNDETERMINED reason, and on
# that reason a queue cannot cancel jobs by itself: the sweep does. The instance would cost money meanwhile, for Batch
# keeps what it has started until it joins. It ends itself, after the minutes in which its console can be read.
refuse_jobs() {
  local reason="Genolaunch: the set-up of ${FOLDER} failed (line $1: ${2}); this instance takes no jobs and ends in 5 minutes"
  logger --tag genolaunch "${reason}"
  echo "${reason}" > /dev/console || true
  systemctl mask --now ecs || true
  shutdown --poweroff +5 "${reason}"
}
trap 'refuse_jobs "${LINENO}" "${BASH_COMMAND}"' ERR

# The ECS agent's own limits fail a container that is merely slow to start, on a busy host or with a large image: 4
# minutes to create it, 3 to start it, 1 between two layers (amazon-ecs-agent, README, "Environment Variables"). A job
# that is asked to stop has two minutes to leave its files whole, as a Spot warning gives it, and not 30 seconds.
cat >> /etc/ecs/ecs.config <<'AGENT'
ECS_CONTAINER_CREATE_TIMEOUT=10m
ECS_CONTAINER_START_TIMEOUT=10m
ECS_IMAGE_PULL_INACTIVITY_TIMEOUT=10m
ECS_MANIFEST_PULL_TIMEOUT=5m
ECS_CONTAINER_STOP_TIMEOUT=2m
AGENT

# Of jobs of every kind: without it, a Spot notice may end a job as if it had failed by itself.
cat > /usr/local/bin/stop-before-reclaim <<'WATCH'
#!/bin/bash
# When EC2 announces that it takes this Spot instance back (two minutes ahead), stop the jobs and unmount, if it mounts.
readonly METADATA=http://169.254.169.254/latest
while sleep 5; do
  token=$(curl --silent --fail --max-time 2 --request PUT --header 'X-aws-ec2-metadata-token-ttl-seconds: 60' \
    "${METADATA}/api/token") || continue
  curl --silent --fail --max-time 2 --output /dev/null --header "X-aws-ec2-metadata-token: ${token}" \
    "${METADATA}/meta-data/spot/instance-action" || continue
  # The agent first: Batch retries a job whose host is gone, but would take a stopped container for the job's own fault.
  systemctl stop ecs
  docker ps --quiet --filter label=com.amazonaws.ecs.task-arn | xargs --no-run-if-empty docker stop --time 20
  # A client that vanishes with locks in its hands holds up everybody else's reads until it is evicted, minutes later.
  if [[ '@MOUNTS@' == yes ]]; then
    systemctl stop autofs
    umount --all --types lustre
  fi
  exit 0
done
WATCH
chmod 0755 /usr/local/bin/stop-before-reclaim

cat > /etc/systemd/system/stop-before-reclaim.service <<'UNIT'
[Unit]
Description=Stop jobs and unmount before EC2 reclaims this instance
After=docker.service
[Service]
ExecStart=/usr/local/bin/stop-before-reclaim
Restart=on-failure
[Install]
WantedBy=multi-user.target
UNIT
systemctl enable --now --no-block stop-before-reclaim.service

# Hosts of Snakemake's jobs stop here: those are their users' programs, and no launch's file system is theirs.
[[ '@MOUNTS@' == yes ]] || exit 0

# A prepared image has both, and asks no mirror. One mirror's hiccup must not cost an instance. After the last try, the
# next command fails and says so.
for pause in 5 15 30 60 0; do
  rpm --quiet --query lustre-client autofs && break
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
# A container's bind is a mount of its own, which does not keep the host's in use: an hour after it, the automounter
# would take a long job's mount for idle. So a mount lasts longer than any job may, and a finished launch's goes later.
echo "${FOLDER} program:/etc/auto.genolaunch --timeout=@MOUNT_SECONDS@" > /etc/auto.master.d/genolaunch.autofs
systemctl enable --now autofs
systemctl is-active --quiet autofs
